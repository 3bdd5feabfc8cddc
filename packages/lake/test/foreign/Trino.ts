/**
 * Asks Trino, over HTTP, as its own clients do: a statement, then pages of rows until there are none.
 *
 * Its decimals come as text, its moments whole because the header says that the client takes them; 64-bit integers are JSON
 * numbers, so that queries cast them to text.
 */
import { Data, Effect, Schema } from "effect"

export class TrinoError extends Data.TaggedError("TrinoError")<{ readonly message: string }> {}

const Page = Schema.Struct({
  nextUri: Schema.optional(Schema.String),
  error: Schema.optional(Schema.Struct({ message: Schema.String })),
  columns: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String }))),
  data: Schema.optional(Schema.Array(Schema.Array(Schema.Unknown)))
})

export type TrinoRows = ReadonlyArray<Readonly<Record<string, unknown>>>

const call = Effect.fnUntraced(function* (url: string, init: RequestInit) {
  const text = yield* Effect.tryPromise({
    try: (signal) => fetch(url, { ...init, signal }).then((response) => response.text()),
    catch: (cause) => new TrinoError({ message: `${url}: ${String(cause)}` })
  })
  return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Page))(text).pipe(
    Effect.mapError(() => new TrinoError({ message: `${url}: ${text.slice(0, 200)}` }))
  )
})

/** The rows of a statement, by column name; with settings of its session. */
export const askTrino = Effect.fnUntraced(function* (
  url: string,
  sql: string,
  session: Readonly<Record<string, string>> = {}
): Effect.fn.Return<TrinoRows, TrinoError> {
  const headers = {
    "X-Trino-User": "frazil",
    "X-Trino-Catalog": "iceberg",
    "X-Trino-Time-Zone": "UTC",
    "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
    "X-Trino-Session": Object.entries(session)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join(",")
  }
  const rows: Array<Readonly<Record<string, unknown>>> = []
  let page = yield* call(`${url}/v1/statement`, { method: "POST", body: sql, headers })
  for (;;) {
    if (page.error !== undefined) return yield* new TrinoError({ message: `${page.error.message}: ${sql}` })
    const names = (page.columns ?? []).map(({ name }) => name)
    for (const row of page.data ?? []) rows.push(Object.fromEntries(row.map((value, i) => [names[i], value])))
    if (page.nextUri === undefined) return rows
    page = yield* call(page.nextUri, { headers })
  }
})
