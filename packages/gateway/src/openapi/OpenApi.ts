/**
 * The OpenAPI document of a list of endpoints. Pure: what is in the document is what is served.
 */
import { Schema } from "effect"
import type { AnswerKind, Content, Endpoint } from "../http/Endpoint.ts"
import { ProblemDocument, problemType } from "../http/Problem.ts"

const schemaOf = (schema: Schema.Constraint) => {
  const document = Schema.toJsonSchemaDocument(schema)
  return Object.keys(document.definitions).length === 0
    ? document.schema
    : { ...document.schema, $defs: document.definitions }
}

const contentOf = (content: ReadonlyArray<Content>) =>
  content.length === 0
    ? {}
    : {
        content: Object.fromEntries(
          content.map(({ schema, type }) => [type, schema === undefined ? {} : { schema: schemaOf(schema) }])
        )
      }

const answerOf = ({ content, description, status }: AnswerKind) => [
  String(status),
  { description, ...contentOf(content) }
]

const operationOf = <R>(endpoint: Endpoint<R>) => ({
  summary: endpoint.summary,
  operationId: `${endpoint.method}${endpoint.path.replaceAll(/[^a-z]+/gi, "_").replace(/_$/, "")}`,
  parameters: endpoint.parameters.map((parameter) => ({ ...parameter, schema: { type: "string" } })),
  ...(endpoint.body === undefined
    ? {}
    : { requestBody: { required: true, content: { "application/json": { schema: schemaOf(endpoint.body) } } } }),
  responses: {
    ...Object.fromEntries(endpoint.answers.map(answerOf)),
    default: { description: "A problem", content: { [problemType]: { schema: schemaOf(ProblemDocument) } } }
  }
})

export const openApi = <R>(endpoints: ReadonlyArray<Endpoint<R>>) => {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operationOf(endpoint) }
  }
  return { openapi: "3.1.0", info: { title: "frazil", version: "0.1.0" }, paths }
}
