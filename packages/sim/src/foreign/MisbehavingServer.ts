/**
 * A server in this process for tests of clients over HTTP: what a test scripts is answered first, then what it does well.
 *
 * It can answer anything, never, or break the line before or after having done what was asked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, type Scope } from "effect"

export interface Asked {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
  /** The body as it came. */
  readonly bytes: Uint8Array
}

export interface Reply {
  readonly status: number
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** What happens to one request: an answer; none ever; a broken line, with what was asked done before it or not. */
export type Fate = Reply | "never" | "broken" | "done, then broken" | "done, then 500" | "done, then 412" | "well"

export interface MisbehavingServer {
  readonly url: string
  readonly asked: ReadonlyArray<Asked>
  /** The next requests that `match` meets these fates, one each. */
  readonly meet: (match: (asked: Asked) => boolean, ...fates: ReadonlyArray<Fate>) => void
}

const readBody = (request: IncomingMessage): Promise<Uint8Array> =>
  new Promise((resolve) => {
    const pieces: Array<Buffer> = []
    request.on("data", (piece: Buffer) => pieces.push(piece))
    request.on("end", () => resolve(new Uint8Array(Buffer.concat(pieces))))
  })

const send = (response: ServerResponse, { body, headers, status }: Reply): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(body)
}

interface Script {
  readonly match: (asked: Asked) => boolean
  readonly fates: Array<Fate>
}

const meetFate = async (
  fate: Fate,
  asked: Asked,
  response: ServerResponse,
  well: (asked: Asked) => Promise<Reply>
): Promise<void> => {
  if (fate === "never") return
  if (fate === "broken") {
    response.socket?.destroy()
    return
  }
  if (typeof fate === "object") {
    send(response, fate)
    return
  }
  const reply = await well(asked)
  if (fate === "done, then broken") response.socket?.destroy()
  else if (fate === "done, then 412") send(response, { status: 412 })
  else
    send(response, fate === "well" ? reply : { status: 500, body: '{"error":{"message":"oh","type":"X","code":500}}' })
}

export const misbehavingServer = (
  well: (asked: Asked) => Promise<Reply>
): Effect.Effect<MisbehavingServer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: ReturnType<typeof createServer>; readonly fake: MisbehavingServer }>(
      (resume) => {
        const asked: Array<Asked> = []
        const scripts: Array<Script> = []
        const server = createServer((request, response) => {
          void readBody(request).then((bytes) => {
            const body = Buffer.from(bytes).toString("utf8")
            const each = {
              method: request.method ?? "",
              path: request.url ?? "",
              headers: request.headers,
              body,
              bytes
            }
            asked.push(each)
            const script = scripts.find(({ fates, match }) => fates.length > 0 && match(each))
            return meetFate(script?.fates.shift() ?? "well", each, response, well)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          // an address of TCP, since it listens on a port
          const { port } = server.address() as AddressInfo
          const meet = (match: Script["match"], ...fates: ReadonlyArray<Fate>) => {
            scripts.push({ match, fates: [...fates] })
          }
          resume(Effect.succeed({ server, fake: { url: `http://127.0.0.1:${port}`, asked, meet } }))
        })
      }
    ),
    ({ server }) =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  ).pipe(Effect.map(({ fake }) => fake))
