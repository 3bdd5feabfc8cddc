/** Answers that are one JSON document, and what makes them cheap to ask for again. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { type GatewayRequest, jsonType } from "./Endpoint.ts"
import { negotiate } from "./Accept.ts"
import { problem, type Problem } from "./Problem.ts"

/** Weak: equal in meaning, not byte for byte. */
export const etagOf = (...parts: ReadonlyArray<string>): string =>
  `W/"${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32)}"`

/** Whether whoever asks has this already. */
export const has = (request: GatewayRequest, etag: string): boolean => {
  const given = request.header("if-none-match")
  if (given === undefined) return false
  const plain = etag.replace(/^W\//, "")
  return given.split(",").some((each) => each.trim() === "*" || each.trim().replace(/^W\//, "") === plain)
}

export const unchanged = (etag: string): Response => new Response(null, { status: 304, headers: { etag } })

/** The type to answer in; a problem when none that is offered will do. */
export const accepted = <T extends string>(
  request: GatewayRequest,
  offered: ReadonlyArray<T>
): Effect.Effect<T, Problem> => {
  const type = negotiate(request.header("accept"), offered)
  return type === undefined
    ? Effect.fail(problem(406, "NotAcceptable", `this is answered as ${offered.join(", ")}`))
    : Effect.succeed(type)
}

/** 64-bit integers as text. */
const jsonText = (value: unknown): string =>
  `${JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? String(each) : each))}\n`

/** A document; with an `etag`, only when it is new to whoever asks. */
export const reply = Effect.fnUntraced(function* (request: GatewayRequest, value: unknown, etag?: string) {
  yield* accepted(request, [jsonType])
  if (etag !== undefined && has(request, etag)) return unchanged(etag)
  return new Response(jsonText(value), {
    headers: { "content-type": jsonType, ...(etag === undefined ? {} : { etag }) }
  })
})
