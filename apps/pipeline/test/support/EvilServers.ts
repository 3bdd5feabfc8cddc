/**
 * Other systems that say back whatever they were told, secrets and people included: a bureau, a database, a hook. What of it
 * shows up anywhere in frazil is frazil's fault.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http"
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net"
import { Effect } from "effect"

const read = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve) => {
    let body = ""
    request.on("data", (piece: Uint8Array) => (body += Buffer.from(piece).toString()))
    request.on("end", () => resolve(body))
  })

const listen = (
  server: {
    readonly listen: (port: number, host: string, done: () => void) => unknown
    readonly address: () => AddressInfo | string | null
  },
  close: () => void
) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      // a server that listens on TCP has such an address
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.sync(close)
  )

type Answer = (echo: string, ssn: string, response: ServerResponse) => void

const json = (response: ServerResponse, value: unknown) => {
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify(value))
}

/** What the bureau answers to the first calls, whatever they ask: too few for a breaker to open. */
const bureauAnswers: ReadonlyArray<Answer> = [
  (echo, _ssn, response) => response.writeHead(500, { "x-echo": Buffer.from(echo).toString("base64") }).end(echo),
  (echo, _ssn, response) => response.writeHead(429, { "retry-after": "0" }).end(echo)
]

/** By the last digit of a number, for good: refused, and answers that make no sense. */
const bureauVerdicts: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["1", (echo, _ssn, response) => response.writeHead(400).end(`no such person: ${echo}`)],
  ["2", (echo, _ssn, response) => response.end(`<html>${echo}</html>`)],
  ["3", (echo, ssn, response) => json(response, { ssn, score: echo })],
  ["4", (_echo, ssn, response) => json(response, { ssn: `${ssn}0`, score: 700 })],
  ["5", (echo, ssn, response) => json(response, { [ssn]: echo })]
])

/** `told` is every request's head and body. */
export const evilBureau = Effect.gen(function* () {
  const told: Array<string> = []
  const server = createHttpServer((request, response) => {
    void read(request).then((body) => {
      const echo = `${JSON.stringify(request.headers)} ${body}`
      told.push(echo)
      const { ssn } = JSON.parse(body) as { readonly ssn: string } // the bureau's request
      const verdict = bureauVerdicts.get(ssn.at(-1) ?? "") ?? (() => json(response, { ssn, score: 700 }))
      const answer = bureauAnswers[told.length - 1] ?? verdict
      return answer(echo, ssn, response)
    })
  })
  const port = yield* listen(server, () => server.closeAllConnections())
  return { told, url: `http://127.0.0.1:${port}` }
})

/** Fails most calls and says what it was sent. */
export const evilHook = Effect.gen(function* () {
  const told: Array<string> = []
  const server = createHttpServer((request, response) => {
    void read(request).then((body) => {
      const echo = `${JSON.stringify(request.headers)} ${body}`
      told.push(echo)
      return response.writeHead([500, 400, 204][told.length % 3]!, { "x-echo": "yes" }).end(echo)
    })
  })
  const port = yield* listen(server, () => server.closeAllConnections())
  return { told, url: `http://127.0.0.1:${port}/hook` }
})

const authenticationCleartext = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])

const errorResponse = (message: string): Buffer => {
  const fields = Buffer.from(`SFATAL\0C28P01\0M${message}\0D${message}\0H${message}\0\0`)
  const head = Buffer.alloc(5)
  head.write("E")
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

/** A PostgreSQL that asks for a password in clear, and refuses it by quoting it. */
export const evilPostgres = Effect.gen(function* () {
  const told: Array<string> = []
  const open = new Set<Socket>()
  const server = createTcpServer((socket) => {
    open.add(socket)
    socket.on("error", () => undefined)
    socket.on("close", () => open.delete(socket))
    let started = false
    socket.on("data", (bytes: Uint8Array) => {
      if (!started) {
        started = true
        socket.write(authenticationCleartext)
        return
      }
      const text = Buffer.from(bytes).subarray(5).toString().replaceAll("\0", "")
      told.push(text)
      socket.end(errorResponse(`password authentication failed: "${text}" is wrong`))
    })
  })
  const port = yield* listen(server, () => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { told, url: `postgres://lab@127.0.0.1:${port}/lab` }
})
