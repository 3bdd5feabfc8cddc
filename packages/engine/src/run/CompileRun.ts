/**
 * The loop over a batch's rows, as generated code: of a stage with one port, or of one whose ports take turns.
 *
 * Part of `CompileStage`, which makes what runs for a row: it stands among that one's variables.
 */
import type { CodeScope } from "@frazil/core"
import type { StagePlan } from "../plan/StagePlan.ts"
import { moveTimeCode } from "./CompileTime.ts"

/** An output whose rows the loop notes down, to be written when it has ended: its code is there once, and not in the loop. */
export interface PassedRows {
  readonly operator: number
  readonly output: number
  /** Index of the column that has the keys. */
  readonly key: number | undefined
  /** How often the loop may note a row. */
  times: number
}

export interface RowCode {
  readonly row: string
  /** What runs for a row whose decimals do not fit a double. */
  readonly wide: string
  readonly passed: ReadonlyArray<PassedRows>
  /** Reads the row's event time; undefined where it has none, or came with the record. */
  readonly time: string | undefined
  /** Binds what the row's code reads of a batch. */
  readonly start: string
  /** Names of the fields that it reads from columns; undefined where it reads records. */
  readonly reads: ReadonlySet<string> | undefined
}

export interface RunCode {
  /** Stands outside of the loop over batches. */
  readonly functions: string
  readonly body: string
}

/** Behind a repartition time came with the record: it moves on first, as it did where the record was read. */
const stampedTime = `eventTime = batch.source.eventTimes[i];
    if (batch.source.watermarks[i] > maxEventTime) {
      before = maxEventTime; maxEventTime = time.maxEventTime = batch.source.watermarks[i];
      fire(maxEventTime, i);
    }
    watermark = clock = before = maxEventTime;`

const rowOrWide = ({ row, wide }: RowCode, before = ""): string => `if (wide[i] !== 0) { ${before} ${wide} }
    else { ${row} }`

/** Where the loop notes rows, and what writes them: what stands before a row of another kind is written before it. */
const passedCode = (passed: ReadonlyArray<PassedRows>) => ({
  functions: passed.map(({ operator }) => `let rows${operator} = new Int32Array(0);`).join("\n"),
  declared: passed
    .map(
      ({ operator: id, times }) =>
        `if (rows${id}.length < batch.length * ${times}) rows${id} = new Int32Array(batch.length * ${times});
  const passed${id} = rows${id}; let count${id} = 0;`
    )
    .join("\n"),
  written: passed
    .map(({ key, operator: id, output }) => {
      const keys = key === undefined ? "undefined" : `batch.columns[${key}]`
      return `if (count${id} > 0) { context.outputs[${output}].passRows(batch.source, passed${id}, count${id}, batch.bytes, ${keys}); count${id} = 0; }`
    })
    .join("\n")
})

/** `counts`: what the loop counts, and where it tells it. */
export const onePortCode = (
  plan: StagePlan,
  scope: CodeScope,
  rows: RowCode,
  counts: { readonly functions: string; readonly declared: string; readonly nextBlock: string; readonly told: string }
): RunCode => {
  const { start, time } = rows
  const passed = passedCode(rows.passed)
  const body = `const valid = batch.valid, wide = batch.wide;
  ${start}
  const time = context.time, lead = context.lead;
  let maxEventTime = time.maxEventTime, leadAt = leadAfter(maxEventTime);
  ${counts.declared}
  ${passed.declared}
  for (let i = begin; i < end; i++) {
    ${counts.nextBlock}
    if (valid[i] === 0) continue;
    ${time === undefined ? "" : `eventTime = ${time}; watermark = clock = before = maxEventTime - ${plan.outOfOrdernessMs};`}
    ${plan.writers === undefined ? "" : stampedTime}
    ${rowOrWide(rows, passed.written)}
    ${time === undefined ? "" : moveTimeCode(plan, scope)}
  }
  ${passed.written}
  ${counts.told}
  time.maxEventTime = maxEventTime;`
  return { functions: `${counts.functions}\n${passed.functions}`, body }
}

/** Records of several ports take turns: what a batch's columns are bound to is made once for it, not for each turn. */
export const portsCode = (rows: ReadonlyArray<RowCode>): RunCode => {
  const makers = rows.map(
    (row) => `(b) => { const wide = b.wide;
  ${row.start}
  return (i) => { ${rowOrWide(row)} }; }`
  )
  const functions = `const makers = [${makers.join(",\n")}], bound = makers.map(() => undefined), rowsOf = makers.map(() => undefined);`
  const body = `const port = context.port, valid = batch.valid;
  if (bound[port] !== b) { bound[port] = b; rowsOf[port] = makers[port](b); }
  const rows = rowsOf[port], time = context.time;
  let maxEventTime = time.maxEventTime;
  for (let i = begin; i < end; i++) {
    if (valid[i] === 0) continue;
    ${stampedTime}
    rows(i);
  }
  time.maxEventTime = maxEventTime;`
  return { functions, body }
}

/** So many operators' counts are told by one function. */
const toldTogether = 8

/**
 * What the loop counts of a batch, handed on where a block of offsets or the batch ends: as arguments, since what a function
 * shares with the loop is not kept in registers.
 */
export const countsCode = (
  counted: ReadonlySet<{ readonly id: number; readonly name: string }>,
  plan: StagePlan,
  scope: CodeScope
) => {
  const all = [...counted]
  const functions: Array<string> = []
  const calls: Array<string> = []
  for (let from = 0; from < all.length; from += toldTogether) {
    const some = all.slice(from, from + toldTogether)
    const names = some.flatMap(({ id }) => [`n${id}`, `first${id}`, `last${id}`]).join(", ")
    const adds = some.map(
      ({ id, name }) =>
        `if (n${id} > 0) context.filtered.add(${scope.constant(name)}, n${id}, offsets[first${id}], offsets[last${id}]);`
    )
    functions.push(`const tell${from} = (offsets, ${names}) => { ${adds.join("\n")} };`)
    calls.push(`tell${from}(offsets, ${names}); ${some.map(({ id }) => `n${id} = 0;`).join(" ")}`)
  }
  const variables = all.map(({ id }) => `n${id} = 0, first${id} = 0, last${id} = 0`)
  const told = calls.join("\n")
  const next = "context.filtered.cut(offsets[i]); cut = context.filtered.cutAfter(batch, i + 1);"
  return {
    functions: functions.join("\n"),
    declared: `const offsets = batch.source.offsets;
  let ${[...variables, "cut = context.filtered.cutAfter(batch, 0)"].join(", ")};`,
    // behind a repartition blocks are told apart one by one
    nextBlock: plan.writers === undefined ? `if (i === cut) { ${told} ${next} }` : "",
    told
  }
}
