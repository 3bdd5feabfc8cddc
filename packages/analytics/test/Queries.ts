/** Asks the query service of a test and collects the answer. */
import { Effect, Stream } from "effect"
import { Analytics, type Query, type ResultFormat } from "../src/index.ts"

export const askBytes = (query: Query, format: ResultFormat) =>
  Effect.scoped(
    Effect.gen(function* () {
      const analytics = yield* Analytics
      const prepared = yield* analytics.prepare(query)
      const answer = yield* prepared.run(format)
      return Buffer.concat(yield* Stream.runCollect(answer.body))
    })
  )

/** The document of a JSON answer. */
export const ask = (query: Query) =>
  Effect.map(
    askBytes(query, "json"),
    (bytes) =>
      // the shape is what the tests assert
      JSON.parse(bytes.toString()) as {
        readonly columns: ReadonlyArray<{ readonly name: string; readonly type: string }>
        readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>>
        readonly status: { readonly state: string; readonly rows: number; readonly snapshots: ReadonlyArray<unknown> }
      }
  )

export const askRows = (sql: string, asOf?: string) => Effect.map(ask({ sql, asOf }), (document) => document.rows)

/** Why a query has no answer; a defect when it has one. */
export const refusal = (query: Query) =>
  Effect.flatMap(Effect.result(ask(query)), (result) =>
    result._tag === "Failure" ? Effect.succeed(result.failure) : Effect.die(`answered: ${query.sql}`)
  )
