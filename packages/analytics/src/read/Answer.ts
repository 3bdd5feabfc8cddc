/**
 * A query's answer as bytes: what its process encodes, with a head, and an end that says whether it is whole.
 *
 * JSON is `{"columns": …, "rows": […], "status": {…}}`; NDJSON ends with a line `{"frazil_status": {…}}`. CSV and Arrow have
 * no place for a status: their stream fails instead, and Arrow has its own mark of the end. An answer of up to
 * `heldBytesMax` is held until it is whole, so that it either comes whole or is an error.
 */
import { Effect, Option, Stream } from "effect"
import type { Answer as Said, Frame, ResultColumn, ResultFormat } from "../pool/Frames.ts"
import type { Lease } from "../pool/QueryProcessPool.ts"
import { QueryError } from "../QueryError.ts"
import type { QueryLimits } from "../QueryLimits.ts"
import { fromDuckDb } from "../sql/DuckDbMessage.ts"
import type { SnapshotRead } from "./ResolveTables.ts"

const heldBytesMax = 1024 * 1024

export interface Answer {
  readonly columns: ReadonlyArray<ResultColumn>
  /** Its length when all of it is there already. */
  readonly bytes: number | undefined
  /** Rows, when all of it is there already. */
  readonly rows: number | undefined
  /** To be read once, within the scope of the query. Fails when a CSV or Arrow answer breaks off. */
  readonly body: Stream.Stream<Uint8Array, QueryError>
}

/** What a status says, in snake case as all JSON here. */
const statusOf = (snapshots: ReadonlyArray<SnapshotRead>, rows: number, error: QueryError | undefined) => ({
  state: error === undefined ? "complete" : "failed",
  rows,
  snapshots: snapshots.map(({ committedMs, snapshotId, table }) => ({
    table,
    snapshot_id: snapshotId === null ? null : String(snapshotId),
    committed_at: committedMs === null ? null : new Date(committedMs).toISOString()
  })),
  ...(error === undefined
    ? {}
    : {
        error: {
          reason: error.reason,
          detail: error.message,
          ...(error.limit === undefined ? {} : { limit: error.limit })
        }
      })
})

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()

const headOf = (format: ResultFormat, columns: ReadonlyArray<ResultColumn>): Uint8Array =>
  utf8.encode(format === "json" ? `{"columns":${JSON.stringify(columns)},"rows":[\n` : "")

/** Undefined where the format has no place for it. */
const endOf = (format: ResultFormat, status: ReturnType<typeof statusOf>): Uint8Array | undefined => {
  if (format === "json") return utf8.encode(`\n],"status":${JSON.stringify(status)}}\n`)
  if (format === "ndjson") return utf8.encode(`{"frazil_status":${JSON.stringify(status)}}\n`)
  return undefined
}

/** A step of reading: bytes to pass on, or the end. */
type Step =
  | { readonly _tag: "Rows"; readonly bytes: Uint8Array; readonly rows: number }
  | { readonly _tag: "Columns"; readonly columns: ReadonlyArray<ResultColumn> }
  | { readonly _tag: "End"; readonly error: QueryError | undefined }

const limitReached = (limit: "rows" | "bytes", limits: QueryLimits): QueryError =>
  new QueryError({
    reason: "LimitReached",
    limit,
    message:
      limit === "rows"
        ? `the answer has more than ${limits.rowsMax} rows`
        : `the answer has more than ${limits.bytesMax} bytes`,
    hint:
      limit === "rows"
        ? "add LIMIT to the query, or ask with a higher rows limit"
        : "ask for fewer columns or rows, or with a higher bytes limit"
  })

const stepOf = (frame: Frame, limits: QueryLimits): Step | undefined => {
  if (frame.kind === "rows") {
    const rows = new DataView(frame.bytes.buffer, frame.bytes.byteOffset).getUint32(0)
    return { _tag: "Rows", rows, bytes: frame.bytes.subarray(4) }
  }
  // written by our own process
  const said = JSON.parse(fromUtf8.decode(frame.bytes)) as Said
  switch (said.type) {
    case "columns":
      return { _tag: "Columns", columns: said.columns }
    case "done":
      return { _tag: "End", error: undefined }
    case "limit":
      return { _tag: "End", error: limitReached(said.limit, limits) }
    case "failed":
      return { _tag: "End", error: fromDuckDb(said.message) }
    case "ready":
      return undefined
  }
}

class Reader {
  readonly lease: Lease
  readonly limits: QueryLimits
  readonly format: ResultFormat
  readonly snapshots: ReadonlyArray<SnapshotRead>
  rows = 0

  constructor(lease: Lease, limits: QueryLimits, format: ResultFormat, snapshots: ReadonlyArray<SnapshotRead>) {
    this.lease = lease
    this.limits = limits
    this.format = format
    this.snapshots = snapshots
  }

  /** The next step; the process's own end is one. */
  readonly step: Effect.Effect<Step> = Effect.suspend(() =>
    this.lease.process.receive.pipe(
      Effect.map((frame) => stepOf(frame, this.limits)),
      Effect.catch((error) => Effect.succeed<Step>({ _tag: "End", error })),
      Effect.flatMap((step): Effect.Effect<Step> => (step === undefined ? this.step : Effect.succeed(step))),
      Effect.tap((step) => Effect.sync(() => this.count(step)))
    )
  )

  private count(step: Step): void {
    if (step._tag === "Rows") this.rows += step.rows
    if (step._tag === "End" && !this.lease.process.ended()) this.lease.state = "finished"
  }

  end(error: QueryError | undefined): Uint8Array | undefined {
    return endOf(this.format, statusOf(this.snapshots, this.rows, error))
  }
}

/** What is left after the held part, a piece at a time. */
const rest = (reader: Reader): Stream.Stream<Uint8Array, QueryError> =>
  Stream.paginate(
    reader,
    Effect.fnUntraced(function* (at: Reader) {
      const step = yield* at.step
      if (step._tag !== "End") return [step._tag === "Rows" ? [step.bytes] : [], Option.some(at)] as const
      if (step.error !== undefined && (at.format === "csv" || at.format === "arrow")) return yield* step.error
      const end = at.end(step.error)
      return [end === undefined ? [] : [end], Option.none<Reader>()] as const
    })
  )

/** Reads until the answer is whole or too much to hold; an error before that is the query's. */
export const readAnswer = Effect.fnUntraced(function* (
  lease: Lease,
  limits: QueryLimits,
  format: ResultFormat,
  snapshots: ReadonlyArray<SnapshotRead>
): Effect.fn.Return<Answer, QueryError> {
  const reader = new Reader(lease, limits, format, snapshots)
  const held: Array<Uint8Array> = []
  let heldBytes = 0
  let columns: ReadonlyArray<ResultColumn> = []
  const hold = (bytes: Uint8Array) => {
    held.push(bytes)
    heldBytes += bytes.length
  }
  while (heldBytes <= heldBytesMax) {
    const step = yield* reader.step
    if (step._tag === "Columns") {
      columns = step.columns
      hold(headOf(format, columns))
    } else if (step._tag === "Rows") hold(step.bytes)
    else {
      if (step.error !== undefined) return yield* step.error
      hold(reader.end(undefined) ?? new Uint8Array(0))
      return { columns, bytes: heldBytes, rows: reader.rows, body: Stream.fromIterable(held) }
    }
  }
  const body = Stream.concat(Stream.fromIterable(held), rest(reader))
  return { columns, bytes: undefined, rows: undefined, body }
})
