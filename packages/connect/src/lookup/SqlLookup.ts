/**
 * A lookup in a table: the keys of a batch in one statement, each row decoded by a schema.
 *
 * Apps give it to `Lookup` services, such as claims. **Delivery**: asks once; patience is the policy's. **Bounds**: the
 * client's. Messages name the table and a field, never a key or what a row holds.
 */
import { RecordShape } from "@frazil/core"
import type { Lookup } from "@frazil/engine"
import { Effect, Result, Schema } from "effect"
import { recordOf, selectByKeys } from "../sql/SelectByKeys.ts"
import type { SqlClient, SqlError } from "../sql/SqlClient.ts"

/** What went wrong, in the words of a service. */
export interface SqlLookupFailures<Err> {
  /** No row has this key. */
  readonly absent: (message: string) => Err
  /** Its row makes no sense. */
  readonly invalid: (message: string) => Err
  /** The database failed. */
  readonly failed: (message: string) => Err
  readonly timedOut: (message: string) => Err
}

export interface SqlLookupOptions<Answer, Err> {
  readonly client: SqlClient
  readonly table: string
  /** The column of the keys, which no two rows share. */
  readonly key: string
  /** Its fields are columns. */
  readonly answer: Schema.Codec<Answer, unknown>
  /** What is wrong with an answer that decodes; undefined when nothing is. */
  readonly problem?: (answer: Answer) => string | undefined
  readonly failures: SqlLookupFailures<Err>
}

export const makeSqlLookup = <Answer, Err extends Lookup.LookupFailure>(
  options: SqlLookupOptions<Answer, Err>
): Lookup.LookupShape<string, Answer, Err> => {
  const { answer, client, failures, key, problem = () => undefined, table } = options
  const shape = RecordShape.of(answer)
  const text = selectByKeys({ dialect: client.dialect, table, key, shape })
  const decode = Schema.decodeUnknownResult(answer)
  const missing = Result.fail(failures.absent(`table ${table} has no row of this ${key}`))

  const ofError = (error: SqlError): Err =>
    error.reason === "TimedOut" ? failures.timedOut(error.message) : failures.failed(error.message)

  /** The first field that makes a row unusable: a value that does not decode, or NULL where there must be one. */
  const wrongField = (row: Readonly<Record<string, unknown>>): string => {
    const found = shape.fields.find((field) => row[field.name] === null && !field.nullable)
    return found === undefined ? "a column does not fit" : `its ${found.name} is NULL`
  }
  const read = (row: ReadonlyArray<string | null>): Result.Result<Answer, Err> => {
    const record = recordOf(shape, row)
    const decoded = decode(record)
    const wrong = Result.isFailure(decoded) ? wrongField(record) : problem(decoded.success)
    return Result.isSuccess(decoded) && wrong === undefined
      ? Result.succeed(decoded.success)
      : Result.fail(failures.invalid(`table ${table} has a row that makes no sense: ${wrong}`))
  }
  const lookupMany = (keys: ReadonlyArray<string>) =>
    client.query(text, [keys]).pipe(
      Effect.map((rows) => {
        const byKey = new Map(rows.map((row) => [row[0], row] as const))
        return keys.map((each): Result.Result<Answer, Err> => {
          const row = byKey.get(each)
          return row === undefined ? missing : read(row)
        })
      }),
      Effect.mapError(ofError)
    )
  return {
    lookupMany,
    lookup: (each) => Effect.flatMap(lookupMany([each]), ([only]) => Effect.fromResult(only ?? missing))
  }
}
