/**
 * A small HTTP interface on the loopback address: GET /rate, PUT /rate {"rate": 50}, GET /health.
 *
 * The app's `--port`. Answers are JSON; a rate that is none is refused with 400 and a message, and the old one stays.
 */
import { createServer } from "node:http"
import { NodeHttpServer } from "@effect/platform-node"
import { ByteSize, Context, Effect, Layer, Schema } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { GeneratorProgress, TokenBucket } from "@frazil/sim"
import { GeneratorError } from "./GeneratorError.ts"

const RateBody = Schema.Struct({ rate: Schema.Finite })
const bodyBytesMax = ByteSize.bytes(1_024)
const host = "127.0.0.1"

export interface RateApiOptions {
  readonly bucket: TokenBucket
  readonly progress: () => GeneratorProgress | undefined
  readonly say: (line: string) => Effect.Effect<void>
}

const refuse = (message: string) => HttpServerResponse.jsonUnsafe({ error: message }, { status: 400 })

/** The routes, for any server. */
export const rateRoutes = ({
  bucket,
  progress,
  say
}: RateApiOptions): Layer.Layer<never, never, HttpRouter.HttpRouter> => {
  const answer = Effect.map(bucket.rate, (rate) => HttpServerResponse.jsonUnsafe({ rate }))
  const change = Effect.gen(function* () {
    const { rate } = yield* HttpServerRequest.schemaBodyJson(RateBody)
    yield* bucket.setRate(rate)
    yield* say(`rate ${rate}/s, by HTTP`)
    return yield* answer
  }).pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, bodyBytesMax),
    Effect.catchTag("RateRefused", (error) => Effect.succeed(refuse(error.message))),
    Effect.catch(() => Effect.succeed(refuse(`send a JSON object such as {"rate": 50}`)))
  )
  const health = Effect.sync(() => {
    const now = progress()
    const ill = now?.state === "paused" || now?.full === true
    return HttpServerResponse.jsonUnsafe({ status: ill ? "paused" : "ok", ...now }, { status: ill ? 503 : 200 })
  })
  return Layer.mergeAll(
    HttpRouter.add("GET", "/rate", answer),
    HttpRouter.add("PUT", "/rate", change),
    HttpRouter.add("GET", "/health", health)
  )
}

/** Serves the routes until the scope closes; says where. Port 0 takes any free one. */
export const serveRateApi = Effect.fnUntraced(function* (port: number, options: RateApiOptions) {
  const server = NodeHttpServer.layerServer(createServer, { port, host })
  const layer = HttpRouter.serve(rateRoutes(options), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(server)
  )
  const context = yield* Effect.mapError(
    Layer.build(layer),
    (cause) => new GeneratorError({ message: `port ${port} on ${host} cannot be opened: choose another --port`, cause })
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  yield* options.say(`${HttpServer.formatAddress(address)}/rate takes another rate`)
})
