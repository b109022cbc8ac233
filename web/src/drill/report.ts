// Where the report of a drill lies.
export type ReportFormat = 'html' | 'pdf' | 'csv'

export const reportOf = (drill: string, format: ReportFormat): string => `/api/v1/drills/${encodeURIComponent(drill)}/report?format=${format}`
