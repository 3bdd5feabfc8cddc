/**
 * The loop over a batch's rows, as generated code: of a stage with one port, or of one whose ports take turns.
 *
 * Part of `CompileStage`, which makes what runs for a row: it stands among that one's variables.
 */
import type { CodeScope } from "@frazil/core"
import type { StagePlan } from "../plan/StagePlan.ts"
import { moveTimeCode } from "./CompileTime.ts"

export interface RowCode {
  readonly row: string
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

/** `counts`: what the loop counts, and where it tells it. */
export const onePortCode = (
  plan: StagePlan,
  scope: CodeScope,
  { row, start, time }: RowCode,
  counts: { readonly declared: string; readonly nextBlock: string; readonly told: string }
): RunCode => {
  const body = `const valid = batch.valid, wide = batch.wide;
  ${start}
  const time = context.time, lead = context.lead;
  let maxEventTime = time.maxEventTime, leadAt = leadAfter(maxEventTime);
  ${counts.declared}
  for (let i = begin; i < end; i++) {
    ${counts.nextBlock}
    if (valid[i] === 0) continue;
    ${time === undefined ? "" : `eventTime = ${time}; watermark = clock = before = maxEventTime - ${plan.outOfOrdernessMs};`}
    ${plan.writers === undefined ? "" : stampedTime}
    ${row}
    ${time === undefined ? "" : moveTimeCode(plan, scope)}
  }
  ${counts.told}
  time.maxEventTime = maxEventTime;`
  return { functions: "", body }
}

/** Records of several ports take turns: what a batch's columns are bound to is made once for it, not for each turn. */
export const portsCode = (rows: ReadonlyArray<RowCode>): RunCode => {
  const makers = rows.map(
    ({ row, start }) => `(b) => { const wide = b.wide;
  ${start}
  return (i) => { ${row} }; }`
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

/**
 * What the loop counts of a batch, handed on where a block of offsets or the batch ends. Written out in both places: what a
 * function shares with the loop is not kept in registers.
 */
export const countsCode = (
  counted: ReadonlySet<{ readonly id: number; readonly name: string }>,
  plan: StagePlan,
  scope: CodeScope
) => {
  const variables = [...counted].map(({ id }) => `n${id} = 0, first${id} = 0, last${id} = 0`)
  const told = [...counted]
    .map(
      ({ id, name }) =>
        `if (n${id} > 0) { context.filtered.add(${scope.constant(name)}, n${id}, offsets[first${id}], offsets[last${id}]); n${id} = 0; }`
    )
    .join("\n")
  const next = "context.filtered.cut(offsets[i]); cut = context.filtered.cutAfter(batch, i + 1);"
  return {
    declared: `const offsets = batch.source.offsets;
  let ${[...variables, "cut = context.filtered.cutAfter(batch, 0)"].join(", ")};`,
    // behind a repartition blocks are told apart one by one
    nextBlock: plan.writers === undefined ? `if (i === cut) { ${told} ${next} }` : "",
    told
  }
}
