/** A webhook that takes its time, and remembers what it was told. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"

export interface SlowWebhook {
  readonly url: string
  /** How long each call takes from now on. */
  readonly takes: (ms: number) => void
  /** What each call said that the record is. */
  readonly ids: ReadonlySet<string>
}

export const startWebhook = Effect.map(
  Effect.acquireRelease(
    Effect.promise(async () => {
      const ids = new Set<string>()
      const state = { delayMs: 0 }
      const server = createServer((request, response) => {
        ids.add(String(request.headers["webhook-id"]))
        request.resume()
        request.on("end", () => setTimeout(() => response.writeHead(204).end(), state.delayMs))
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      return { ids, state, server }
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  ),
  ({ ids, server, state }): SlowWebhook => ({
    // the cast: it listens on a port
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    takes: (ms) => void (state.delayMs = ms),
    ids
  })
)
