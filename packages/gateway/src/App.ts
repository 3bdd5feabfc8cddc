/**
 * The Hono app: routes from the endpoints, effects run at its edge, every error a problem document.
 *
 * **Guarantees**: a request whose host is no loopback name is refused, so that no web page reaches the gateway through a
 * name of its own; a body is bounded; whoever goes away interrupts what was done for them.
 */
import { Cause, type Context, Effect, Exit } from "effect"
import { Hono, type Context as HonoContext } from "hono"
import { bodyLimit } from "hono/body-limit"
import { type Endpoint, type GatewayRequest, jsonType } from "./http/Endpoint.ts"
import { type Problem, problem, problemResponse } from "./http/Problem.ts"
import { openApi } from "./openapi/OpenApi.ts"

const bodyBytesMax = 256 * 1024

/** Names of this machine for itself. */
export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)

const hostOf = (header: string): string => header.replace(/:\d+$/, "")

const requestOf = (context: HonoContext): GatewayRequest => ({
  path: (name) => context.req.param(name) ?? "",
  query: (name) => context.req.query(name),
  header: (name) => context.req.header(name),
  json: Effect.gen(function* () {
    const type = context.req.header("content-type") ?? ""
    if (!/^application\/json\s*(;|$)/i.test(type)) {
      return yield* problem(
        415,
        "UnsupportedMediaType",
        `send the body as ${jsonType}, not as ${type === "" ? "nothing" : type}`
      )
    }
    return yield* Effect.tryPromise({
      try: () => context.req.json<unknown>(),
      catch: () => problem(400, "InvalidBody", "the body is no JSON document", { hint: `send {"sql": "SELECT …"}` })
    })
  })
})

const responseOf = (exit: Exit.Exit<Response, Problem>): Response => {
  if (Exit.isSuccess(exit)) return exit.value
  const failure = exit.cause.reasons.find((reason) => Cause.isFailReason(reason))
  if (failure !== undefined && Cause.isFailReason(failure)) return problemResponse(failure.error)
  // nobody is there to read it; or a bug, whose details are the log's business
  return Cause.hasInterruptsOnly(exit.cause)
    ? problemResponse(problem(503, "Stopping", "the gateway is stopping"))
    : problemResponse(problem(500, "Bug", "a bug in frazil: its log says more"))
}

const honoPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1")

/** The app over services that are there already. */
export const gatewayApp = <R>(endpoints: ReadonlyArray<Endpoint<R>>, services: Context.Context<R>): Hono => {
  const app = new Hono()
  const run = Effect.runPromiseExitWith(services)
  app.use(async (context, next) => {
    const host = context.req.header("host")
    if (host !== undefined && !isLoopback(hostOf(host))) {
      return problemResponse(
        problem(421, "MisdirectedRequest", `this is not ${hostOf(host)}`, { hint: "ask 127.0.0.1" })
      )
    }
    return next()
  })
  app.use(
    bodyLimit({
      maxSize: bodyBytesMax,
      onError: () => problemResponse(problem(413, "BodyTooLarge", `a body has at most ${bodyBytesMax} bytes`))
    })
  )
  const document = `${JSON.stringify(openApi(endpoints))}\n`
  app.get("/openapi.json", () => new Response(document, { headers: { "content-type": jsonType } }))
  for (const endpoint of endpoints) {
    app.on(endpoint.method.toUpperCase(), honoPath(endpoint.path), async (context) => {
      const handled = Effect.tapCause(endpoint.handle(requestOf(context)), (cause) =>
        Cause.hasDies(cause) ? Effect.logError(`${endpoint.method} ${endpoint.path}`, cause) : Effect.void
      )
      return responseOf(await run(handled, { signal: context.req.raw.signal }))
    })
  }
  const methodsOf = (path: string) =>
    endpoints.filter((each) => honoPath(each.path) === path).map((each) => each.method.toUpperCase())
  for (const path of new Set(endpoints.map((each) => honoPath(each.path)))) {
    const allow = methodsOf(path).join(", ")
    app.all(path, () => {
      const refused = problemResponse(problem(405, "MethodNotAllowed", `this takes ${allow}`))
      refused.headers.set("allow", allow)
      return refused
    })
  }
  app.notFound((context) =>
    problemResponse(
      problem(404, "NotFound", `there is nothing at ${context.req.path}`, { hint: "look at /openapi.json" })
    )
  )
  app.onError(() => problemResponse(problem(500, "Bug", "a bug in frazil: its log says more")))
  return app
}
