/**
 * `POST /v1/query` and, for what fits an address, `GET /v1/query?sql=…`: SQL over the lake.
 *
 * The snapshots are fixed and the ETag made before anything runs. The query ends when its reader goes away.
 */
import { Analytics, type Answer, type PreparedQuery, type Query, type ResultFormat } from "@frazil/analytics"
import { Context, Effect, Exit, Schema, Scope, Stream } from "effect"
import { type Endpoint, type GatewayRequest, notModified } from "../http/Endpoint.ts"
import { fromQueryError, problem, type Problem } from "../http/Problem.ts"
import { accepted, etagOf, has, unchanged } from "../http/Replies.ts"

/** Formats by media type; the first is what is answered without a wish. */
const formats = {
  "application/json": "json",
  "application/x-ndjson": "ndjson",
  "text/csv": "csv",
  "application/vnd.apache.arrow.stream": "arrow"
} as const satisfies Record<string, ResultFormat>

type MediaType = keyof typeof formats
const mediaTypes = Object.keys(formats) as ReadonlyArray<MediaType> // exactly the object's own keys

const QueryBody = Schema.Struct({
  sql: Schema.String.annotate({ description: "One SELECT; tables are namespace.table, each with AT (…) if need be" }),
  as_of: Schema.optionalKey(
    Schema.String.annotate({ description: "For tables without AT: a time, a snapshot id, a branch or a tag" })
  ),
  limits: Schema.optionalKey(
    Schema.Struct({
      rows: Schema.optionalKey(Schema.Int),
      bytes: Schema.optionalKey(Schema.Int),
      timeout_ms: Schema.optionalKey(Schema.Int),
      memory_mb: Schema.optionalKey(Schema.Int)
    })
  )
})

/** What a JSON answer is like. */
const QueryAnswer = Schema.Struct({
  columns: Schema.Array(Schema.Struct({ name: Schema.String, type: Schema.String })),
  rows: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)),
  status: Schema.Struct({
    state: Schema.Literals(["complete", "failed"]),
    rows: Schema.Int,
    snapshots: Schema.Array(
      Schema.Struct({
        table: Schema.String,
        snapshot_id: Schema.NullOr(Schema.String),
        committed_at: Schema.NullOr(Schema.String)
      })
    ),
    error: Schema.optionalKey(
      Schema.Struct({ reason: Schema.String, detail: Schema.String, limit: Schema.optionalKey(Schema.String) })
    )
  })
})

const decodeBody = Schema.decodeUnknownEffect(QueryBody)

const queryOf = ({ as_of, limits, sql }: typeof QueryBody.Type): Query => ({
  sql,
  asOf: as_of,
  limits: {
    ...(limits?.rows === undefined ? {} : { rowsMax: limits.rows }),
    ...(limits?.bytes === undefined ? {} : { bytesMax: limits.bytes }),
    ...(limits?.timeout_ms === undefined ? {} : { timeoutMs: limits.timeout_ms }),
    ...(limits?.memory_mb === undefined ? {} : { memoryBytesMax: limits.memory_mb * 1024 * 1024 })
  }
})

const snapshotsText = ({ snapshots }: PreparedQuery): string =>
  snapshots.map(({ snapshotId, table }) => `${table}=${snapshotId ?? "none"}`).join(", ")

const response = (
  type: MediaType,
  prepared: PreparedQuery,
  etag: string | undefined,
  answer: Answer,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
) =>
  new Response(body, {
    headers: {
      "content-type": type === "text/csv" ? "text/csv; charset=utf-8; header=present" : type,
      "frazil-snapshots": snapshotsText(prepared),
      ...(answer.bytes === undefined ? {} : { "content-length": String(answer.bytes) }),
      ...(etag === undefined ? {} : { etag, "cache-control": "private, no-cache" })
    }
  })

/** Runs the query; its scope stays open until the last byte is taken or the reader is gone. */
const run = (type: MediaType, request: GatewayRequest, query: Query): Effect.Effect<Response, Problem, Analytics> =>
  Effect.gen(function* () {
    const analytics = yield* Analytics
    const scope = yield* Scope.make()
    const close = Scope.close(scope, Exit.void)
    const answered = Effect.gen(function* () {
      const prepared = yield* analytics.prepare(query)
      const ids = snapshotsText(prepared)
      const etag = prepared.volatile
        ? undefined
        : etagOf(type, query.sql, query.asOf ?? "", JSON.stringify(query.limits), ids)
      if (etag !== undefined && has(request, etag)) {
        yield* close
        return unchanged(etag)
      }
      const answer = yield* prepared.run(formats[type])
      if (answer.bytes !== undefined) {
        const bytes = Buffer.concat(yield* Stream.runCollect(answer.body))
        yield* close
        return response(type, prepared, etag, answer, bytes)
      }
      const body = Stream.toReadableStreamWith(Stream.ensuring(answer.body, close), Context.empty())
      return response(type, prepared, etag, answer, body)
    })
    return yield* answered.pipe(
      Effect.provideService(Scope.Scope, scope),
      Effect.mapError(fromQueryError),
      Effect.onError(() => close)
    )
  })

const answers = [
  {
    status: 200,
    description: "The rows, in the format asked for. JSON and NDJSON end with a status; Arrow with its own mark",
    content: mediaTypes.map((type) => (type === "application/json" ? { type, schema: QueryAnswer } : { type }))
  },
  notModified
]

/** The body in one, the parameters in the other. */
export const queryEndpoints: ReadonlyArray<Endpoint<Analytics>> = [
  {
    method: "post",
    path: "/v1/query",
    summary: "Runs one SELECT over the lake",
    parameters: [],
    body: QueryBody,
    answers,
    handle: Effect.fnUntraced(function* (request) {
      const type = yield* accepted(request, mediaTypes)
      const body = yield* Effect.mapError(
        Effect.flatMap(request.json, (json) => decodeBody(json, { onExcessProperty: "error" })),
        (error) =>
          error._tag === "Problem"
            ? error
            : problem(400, "InvalidBody", error.message.replaceAll(/\s*\n\s*/g, " "), {
                hint: `send {"sql": "SELECT …"}`
              })
      )
      return yield* run(type, request, queryOf(body))
    })
  },
  {
    method: "get",
    path: "/v1/query",
    summary: "Runs one SELECT over the lake",
    parameters: [
      { name: "sql", in: "query", required: true, description: "One SELECT" },
      { name: "as_of", in: "query", required: false, description: "A time, a snapshot id, a branch or a tag" }
    ],
    answers,
    handle: Effect.fnUntraced(function* (request) {
      const type = yield* accepted(request, mediaTypes)
      const sql = request.query("sql")
      if (sql === undefined) return yield* problem(400, "InvalidParameter", "the parameter sql is missing")
      return yield* run(type, request, { sql, asOf: request.query("as_of") })
    })
  }
]
