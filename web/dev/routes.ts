// Answers of the stand-in server.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { me } from './world.ts'

type Answer = (url: URL, body: unknown) => unknown

const answers: Record<string, Answer> = {
  'GET /session': () => me,
  'POST /session': () => me,
  'DELETE /session': () => undefined,
}

export async function handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const path = url.pathname.replace('/api/v1', '')
  const answer = answers[`${request.method} ${path}`]
  if (!answer) return send(response, 404, { type: 'about:blank', title: 'Not found', status: 404, detail: `${request.method} ${path}` })
  const body = answer(url, await json(request))
  return body === undefined ? send(response, 204, undefined) : send(response, 200, body)
}

export function send(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status
  response.setHeader('Content-Type', status < 400 ? 'application/json' : 'application/problem+json')
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

async function json(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const piece of request) text += piece
  try {
    return text ? JSON.parse(text) : {}
  } catch {
    return {}
  }
}
