// Reads text/event-stream, as the WHATWG specification of server-sent events describes it.

export interface SseMessage { id: string | null; event: string; data: string }

/** Splits a byte stream that was decoded to text into messages. Keeps an unfinished message for the next call. */
export class SseParser {
  private rest = ''
  private id: string | null = null
  private event = ''
  private data: string[] = []

  /** Messages that are complete with this piece of text. */
  push(text: string): SseMessage[] {
    const messages: SseMessage[] = []
    this.rest += text
    for (;;) {
      const end = this.rest.search(/\r\n|\n|\r/)
      // A lone carriage return at the end may be half of a pair.
      if (end < 0 || (this.rest[end] === '\r' && end === this.rest.length - 1)) return messages
      const line = this.rest.slice(0, end)
      this.rest = this.rest.slice(end + (this.rest.startsWith('\r\n', end) ? 2 : 1))
      const message = this.line(line)
      if (message) messages.push(message)
    }
  }

  private line(line: string): SseMessage | null {
    if (line === '') return this.dispatch()
    if (line.startsWith(':')) return null
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'data') this.data.push(value)
    else if (field === 'event') this.event = value
    else if (field === 'id' && !value.includes('\0')) this.id = value
    return null
  }

  private dispatch(): SseMessage | null {
    const message = this.data.length === 0 ? null : { id: this.id, event: this.event || 'message', data: this.data.join('\n') }
    this.event = ''
    this.data = []
    return message
  }
}
