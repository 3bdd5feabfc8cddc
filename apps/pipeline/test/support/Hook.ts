/** A hook on the loopback address that remembers what it was sent. */
import { createServer, type IncomingMessage, type Server } from "node:http"
import { Effect } from "effect"

export interface Call {
  readonly headers: IncomingMessage["headers"]
  readonly body: string
  readonly status: number
}

/** Answers the first calls with these statuses, then 204. */
export const openHook = Effect.fnUntraced(function* (statuses: ReadonlyArray<number>) {
  const calls: Array<Call> = []
  const server = yield* Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const made = createServer((request, response) => {
        let body = ""
        request.on("data", (piece: Uint8Array) => (body += Buffer.from(piece).toString()))
        request.on("end", () => {
          const status = statuses[calls.length] ?? 204
          calls.push({ headers: request.headers, body, status })
          response.writeHead(status).end()
        })
      })
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.sync(() => {
        made.close()
        made.closeAllConnections()
      })
  )
  const address = server.address()
  if (address === null || typeof address === "string") return yield* Effect.die(new Error("the hook has no port"))
  return { calls, url: `http://127.0.0.1:${address.port}/hook` }
})
