/**
 * The mock credit bureau over HTTP on the loopback address: `POST /v1/score`, and `GET` and `PUT /control` for tests.
 *
 * `apps/bureau` and the pipeline's demo start it. One request is a few plain calls and a slot of the delay wheel, no fiber.
 * **Bounds**: bodies of at most 4 KB; calls in flight as many as callers open, unless a concurrency is set.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Clock, Effect, Result, Schema, type Scope } from "effect"
import { type Behaviour, behaviourDefault, BehaviourSchema } from "./Behaviour.ts"
import { type Bureau, type BureauAnswer, makeBureau } from "./Bureau.ts"
import { type DelayWheel, makeDelayWheel } from "./DelayWheel.ts"

/** The bureau cannot be reached where it should; the message says what to do. */
class BureauError extends Schema.TaggedError<BureauError>()("BureauError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export interface BureauOptions {
  /** 0 takes any free one. */
  readonly port: number
  readonly seed: number
  readonly behaviour?: Partial<Behaviour>
}

export interface RunningBureau {
  readonly address: string
  readonly bureau: Bureau
}

const host = "127.0.0.1"
const bodyBytesMax = 4_096
/** Longer than callers keep idle connections, so that none is closed under a call. */
const keepAliveMs = 75_000

/** Only the fields given change. */
const Change = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
const readChange = (now: Behaviour, body: string): Behaviour | undefined => {
  const change = Schema.decodeUnknownResult(Change)(body)
  if (Result.isFailure(change) || Object.keys(change.success).some((key) => !(key in now))) return undefined
  const next = Schema.decodeUnknownResult(BehaviourSchema)({ ...now, ...change.success })
  return Result.isSuccess(next) && next.success.delayMsMin <= next.success.delayMsMax ? next.success : undefined
}

const send = (response: ServerResponse, answer: BureauAnswer): void => {
  response.statusCode = answer.status
  response.setHeader("content-type", answer.contentType)
  if (answer.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(answer.retryAfterSeconds))
  response.end(answer.body)
}

const sendJson = (response: ServerResponse, status: number, body: unknown): void =>
  send(response, { status, contentType: "application/json", body: JSON.stringify(body) })

/** The whole body, once it is there; undefined when it is too long. */
const readBody = (request: IncomingMessage, then: (body: string | undefined) => void): void => {
  let body = ""
  request.setEncoding("utf8")
  request.on("data", (piece: string) => {
    if (body.length <= bodyBytesMax) body += piece
  })
  request.on("end", () => then(body.length > bodyBytesMax ? undefined : body))
}

const score = (bureau: Bureau, wheel: DelayWheel, clock: Clock.Clock, response: ServerResponse, body: string): void => {
  const verdict = bureau.call(body, clock.currentTimeMillisUnsafe())
  let left = false
  response.on("close", () => {
    left = true
    bureau.leave()
  })
  if (verdict._tag === "Hang") return
  if (verdict.delayMs <= 0) return send(response, verdict.answer)
  wheel.add(verdict.delayMs, () => {
    if (!left) send(response, verdict.answer)
  })
}

const handler =
  (bureau: Bureau, wheel: DelayWheel, clock: Clock.Clock) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url } = request
    if (url !== "/v1/score" && url !== "/control") return sendJson(response, 404, { error: "there is POST /v1/score" })
    const tell = () => sendJson(response, 200, { behaviour: bureau.behaviour(), counts: bureau.counts() })
    if (url === "/control" && method === "GET") return tell()
    if (method !== (url === "/control" ? "PUT" : "POST")) {
      return sendJson(response, 405, { error: `${url} does not take ${method}` })
    }
    readBody(request, (body) => {
      if (body === undefined) return sendJson(response, 413, { error: `at most ${bodyBytesMax} bytes` })
      if (url === "/v1/score") return score(bureau, wheel, clock, response, body)
      const next = readChange(bureau.behaviour(), body)
      if (next === undefined) {
        const example = JSON.stringify(behaviourDefault)
        return sendJson(response, 400, { error: `send some of these, within their bounds: ${example}` })
      }
      bureau.behave(next)
      return tell()
    })
  }

const listen = (server: Server, port: number): Effect.Effect<number, BureauError> =>
  Effect.callback((resume) => {
    server.once("error", (cause) => {
      const message = `port ${port} on ${host} cannot be opened: choose another --port`
      resume(Effect.fail(new BureauError({ message, cause })))
    })
    server.listen(port, host, () => {
      // a server that listens on TCP has such an address
      resume(Effect.succeed((server.address() as AddressInfo).port))
    })
  })

/** Serves until the scope closes; calls in flight are cut off then. */
export const serveBureau = Effect.fn("serveBureau")(function* (
  options: BureauOptions
): Effect.fn.Return<RunningBureau, BureauError, Scope.Scope> {
  const bureau = makeBureau(options.seed, { ...behaviourDefault, ...options.behaviour })
  const wheel = yield* makeDelayWheel
  const server = createServer({ keepAliveTimeout: keepAliveMs }, handler(bureau, wheel, yield* Clock.Clock))
  const port = yield* Effect.acquireRelease(listen(server, options.port), () =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
  )
  return { address: `http://${host}:${port}`, bureau }
})
