/**
 * The gateway: an HTTP server on the loopback address over the services of a system.
 *
 * Apps start it with `serveGateway`. **Bounds**: answers under way get `stopTimeoutMs` when it stops; then their
 * connections are closed. It listens on the loopback address only: there is no access control yet.
 */
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Analytics } from "@frazil/analytics"
import type { Log } from "@frazil/engine"
import type { Catalog } from "@frazil/lake"
import { tellAddress } from "@frazil/platform"
import { createAdaptorServer } from "@hono/node-server"
import { Effect, Schema, type Scope } from "effect"
import { gatewayApp, isLoopback } from "./App.ts"
import type { Endpoint } from "./http/Endpoint.ts"
import { tableEndpoints } from "./lake/TableEndpoints.ts"
import { queryEndpoints } from "./query/QueryEndpoint.ts"
import { System } from "./system/System.ts"
import { systemEndpoints } from "./system/SystemEndpoints.ts"

/** Why the gateway cannot be reached where it should; the message says what to do. */
class GatewayError extends Schema.TaggedError<GatewayError>()("GatewayError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export interface GatewayOptions {
  /** 0 takes any free one. */
  readonly port: number
  /** A loopback address. Default 127.0.0.1. */
  readonly host?: string
}

/** What every endpoint may ask. */
export type GatewayServices = Analytics | Catalog | Log | System

const stopTimeoutMs = 3_000

export const endpoints: ReadonlyArray<Endpoint<GatewayServices>> = [
  ...queryEndpoints,
  ...tableEndpoints,
  ...systemEndpoints
]

const listen = (server: Server, port: number, host: string): Effect.Effect<number, GatewayError> =>
  Effect.callback((resume) => {
    server.once("error", (cause) => {
      const taken = "code" in cause && cause.code === "EADDRINUSE"
      const message = taken
        ? `port ${port} on ${host} is taken by another program: choose another with --port`
        : `port ${port} on ${host} cannot be opened: choose another with --port`
      resume(Effect.fail(new GatewayError({ message, cause })))
    })
    server.listen(port, host, () => {
      // a server that listens on TCP has such an address
      resume(Effect.succeed((server.address() as AddressInfo).port))
    })
  })

/** Answers under way come to their end; connections that only wait are closed. */
const stop = (server: Server): Effect.Effect<void> => {
  const closed = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeIdleConnections()
  })
  return Effect.timeoutOrElse(closed, {
    duration: stopTimeoutMs,
    orElse: () => Effect.sync(() => server.closeAllConnections())
  })
}

/** Serves until the scope closes; gives the address. */
export const serveGateway = Effect.fn("serveGateway")(function* (
  options: GatewayOptions
): Effect.fn.Return<string, GatewayError, GatewayServices | Scope.Scope> {
  const host = options.host ?? "127.0.0.1"
  if (!isLoopback(host)) {
    return yield* new GatewayError({
      message: `the gateway listens on the loopback address only, not on ${host}: it has no access control yet`
    })
  }
  const services = yield* Effect.context<GatewayServices>()
  const app = gatewayApp(endpoints, services)
  // the adaptor makes an HTTP/1 server unless it is told otherwise
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  const port = yield* Effect.acquireRelease(listen(server, options.port, host), () => stop(server))
  const address = `http://${host.includes(":") ? `[${host}]` : host}:${port}`
  const { directory } = yield* System
  yield* tellAddress(directory, address)
  return address
})
