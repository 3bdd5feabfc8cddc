/**
 * What the gateway answers, as data: the routes are made from it, and so is the OpenAPI document.
 */
import type { Effect, Schema } from "effect"
import type { Problem } from "./Problem.ts"

/** A request at the border: strings, decoded by its endpoint. */
export interface GatewayRequest {
  readonly path: (name: string) => string
  readonly query: (name: string) => string | undefined
  readonly header: (name: string) => string | undefined
  /** The body as JSON; a problem when it is none. */
  readonly json: Effect.Effect<unknown, Problem>
}

/** A body that an answer may have. */
export interface Content {
  readonly type: string
  /** Undefined for what has no JSON schema. */
  readonly schema?: Schema.Constraint
}

export interface AnswerKind {
  readonly status: number
  readonly description: string
  readonly content: ReadonlyArray<Content>
}

export interface Parameter {
  readonly name: string
  readonly in: "path" | "query"
  readonly required: boolean
  readonly description: string
}

export interface Endpoint<R> {
  readonly method: "get" | "post"
  /** `/v1/tables/{namespace}/{name}`. */
  readonly path: string
  readonly summary: string
  readonly parameters: ReadonlyArray<Parameter>
  readonly body?: Schema.Constraint
  readonly answers: ReadonlyArray<AnswerKind>
  readonly handle: (request: GatewayRequest) => Effect.Effect<Response, Problem, R>
}

export const jsonType = "application/json"

/** The usual answer: a JSON document. */
export const jsonAnswer = (description: string, schema: Schema.Constraint): AnswerKind => ({
  status: 200,
  description,
  content: [{ type: jsonType, schema }]
})

export const notModified: AnswerKind = { status: 304, description: "As it was when the ETag was given", content: [] }
