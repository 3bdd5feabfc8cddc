/**
 * Turns a stage's plan into one loop over a batch: neighbouring operators become nested blocks of generated JavaScript.
 *
 * Rows start in column mode (expressions read typed arrays, no object exists); the first operator that needs a record
 * switches its branch to record mode. Names of fields, literals and user functions reach the code only as constants or
 * through the expression compiler. The twin is `InterpretStage`, which also takes rows whose decimals do not fit a double.
 */
import {
  type CodeScope,
  type ColumnAccess,
  columnAccess,
  compileCondition,
  compileValue,
  type FieldAccess,
  makeCodeScope,
  recordAccess
} from "@frazil/core"
import type { NodeOf, TopicRef } from "../flow/Node.ts"
import { passesUnchanged } from "../plan/PassThrough.ts"
import {
  branchesUsed,
  isBranch,
  type PlannedComputed,
  type PlannedOperator,
  type PlannedPort,
  type StagePlan
} from "../plan/StagePlan.ts"
import { decideOnColumns, decideOnRecord } from "./CompileDecide.ts"
import { keyedCode } from "./CompileKeyed.ts"
import { joinSideCode } from "./CompileJoin.ts"
import { patternCode } from "./CompilePattern.ts"
import { type JoinedRow, readsColumns, tableCode } from "./CompileTable.ts"
import { windowCode } from "./CompileWindow.ts"
import { recordOf as keptRecordOf } from "../state/KeptRecord.ts"
import { resultsBehindMs } from "../join/Join.ts"
import { sameFields } from "../plan/SameFields.ts"
import { resultShiftMs } from "../plan/Stages.ts"
import { originOf } from "../repartition/Place.ts"
import { asFailed, interpretAnswer, interpretRow } from "./InterpretStage.ts"
import { sharedConditions } from "./CompileConditions.ts"
import { passCode, stampCode } from "./CompileOutput.ts"
import { countsCode, onePortCode, type PassedRows, portsCode, type RowCode } from "./CompileRun.ts"
import { advanceCode, clockCode, closeCode, fireFunctions, watermarkCode } from "./CompileTime.ts"
import { makeStateKey } from "./StateKey.ts"
import type { StageProgram } from "./StageProgram.ts"

/** Where code is emitted: `record` is the record's variable, undefined in column mode; `read` the record as it was read. */
interface Place {
  readonly record: string | undefined
  readonly read: string
  /** In column mode behind a table: reads its fields beside the columns, and makes the record when one is needed. */
  readonly joined?: JoinedRow
}

interface Emitter {
  readonly plan: StagePlan
  readonly scope: CodeScope
  /** Of the port whose rows code is emitted for. */
  source: TopicRef
  columns: ColumnAccess
  /** Functions of catch operators, which two ways lead to. */
  readonly functions: Array<string>
  /** Statements that stand where a batch begins, of the port. */
  batchStart: Array<string>
  /** Operators whose records left out the loop counts: `FilteredCounts.ts`. */
  readonly counted: Set<PlannedOperator>
  /** Outputs whose rows the loop notes down, of the port. */
  passed: Array<PassedRows>
  /** Conditions that every row of the port is asked, by their code: the variables that have them. */
  known: ReadonlyMap<string, string>
  variables: number
}

export const compileStage = (plan: StagePlan): StageProgram => {
  const scope = makeCodeScope()
  const columns = columnAccess(plan.source.shape, scope)
  const emitter: Emitter = {
    plan,
    scope,
    source: plan.source,
    columns,
    functions: [],
    batchStart: [],
    counted: new Set(),
    passed: [],
    known: new Map(),
    variables: 0
  }
  const rows = plan.ports.map((port, index) => rowCode(emitter, port, index))
  const run =
    rows.length === 1
      ? onePortCode(plan, scope, rows[0]!, countsCode(emitter.counted, emitter.plan, emitter.scope))
      : portsCode(rows)
  const body = `"use strict";
let batch, context, now, last = -1, lastRecord, eventTime = NaN, watermark = -Infinity, clock = -Infinity, before = -Infinity, shift = 0;
const recordAt = (i) => { if (i !== last) { lastRecord = context.record(batch, i); last = i; } return lastRecord; };
${emitter.functions.join("\n")}
${fireFunctions(plan)}
${run.functions}
return { run(b, c, t, begin, end) {
  batch = b; context = c; now = t; last = -1;
  ${run.body}
}, advance(c, t, to, from) { context = c; now = t; before = from; clock = to; ${advanceCode(plan)} },
advanceClock(c, t) { context = c; now = t; before = clock = ${watermarkCode(plan)}; ${clockCode(plan)} },
close(c, t, from) { context = c; now = t; before = from; clock = Infinity; ${closeCode(plan)} },
answer(lookup, entry, c, t) { ${answerCode(plan, scope)} } };`
  // generated from the plan alone; see the header
  const build = new Function(...scope.names, body) as (
    ...constants: ReadonlyArray<unknown>
  ) => Omit<StageProgram, "reads">
  return { ...build(...scope.values), reads: rows.map(({ reads }) => reads) }
}

/** What runs for a row of a port. */
const rowCode = (emitter: Emitter, { operator, source }: PlannedPort, port: number): RowCode => {
  const { plan, scope } = emitter
  emitter.source = source
  emitter.columns = columnAccess(source.shape, scope)
  emitter.batchStart = []
  emitter.passed = []
  emitter.known = new Map()
  const shared = sharedConditions(plan, operator, (each) =>
    conditionCode(emitter, each, each.computed[0]!, { record: undefined, read: readInLoop })
  )
  emitter.known = shared.known
  const rows = consumersCode(emitter, plan.operators[operator]!, { record: undefined, read: readInLoop })
  const interpret = scope.constant(interpretRow(plan, port))
  const stamped = plan.writers !== undefined
  const time = plan.eventTimeField === undefined || stamped ? undefined : emitter.columns.number(plan.eventTimeField)
  return {
    row: `${shared.code} ${rows}`,
    wide: `${interpret}(batch, i, context, now, eventTime, watermark);`,
    passed: emitter.passed,
    time,
    start: `${emitter.columns.prelude()}
  ${emitter.batchStart.join("\n")}`,
    reads: rows.includes(readInLoop) ? undefined : emitter.columns.reads()
  }
}

/** A record's outcome, at the record's own time. */
const answerCode = (plan: StagePlan, scope: CodeScope): string => {
  const cases = plan.lookups.map(({ operator }, index) => {
    const interpret = scope.constant(interpretAnswer(plan, plan.operators[operator]!))
    return `case ${index}: if (entry.wide) ${interpret}(entry, c, t); else answered${operator}(entry); return;`
  })
  return `context = c; now = t; eventTime = entry.eventTime; watermark = clock = before = entry.watermark;
switch (lookup) { ${cases.join("\n")} }`
}

/** How the loop over a batch's rows reads the record; functions are given theirs. */
const readInLoop = "recordAt(i)"

const fresh = (emitter: Emitter, prefix: string) => `${prefix}${emitter.variables++}`

const recordOf = (place: Place) => place.record ?? place.joined?.made ?? "recordAt(i)"

const columnsOf = (emitter: Emitter, place: Place): FieldAccess | undefined =>
  place.record === undefined ? (place.joined?.access ?? emitter.columns) : undefined

const consumersCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string =>
  operator.consumers.map((consumer) => operatorCode(emitter, emitter.plan.operators[consumer]!, place)).join("\n")

const accessOf = (emitter: Emitter, operator: PlannedOperator, place: Place): FieldAccess =>
  // an expression was checked against the shape, so there is one
  columnsOf(emitter, place) ?? recordAccess(operator.shape!, emitter.scope, place.record!)

/** `code` with what it throws sent to the dead letter; `after` runs when nothing was thrown. */
const guarded = (emitter: Emitter, operator: PlannedOperator, code: string, after: string): string => {
  const done = fresh(emitter, "ok")
  const name = emitter.scope.constant(operator.name)
  return `{ let ${done} = true; try { ${code} } catch (error) { ${done} = false; context.threw(batch, i, ${name}, error); }
if (${done}) { ${after} } }`
}

const conditionCode = (emitter: Emitter, operator: PlannedOperator, computed: PlannedComputed, place: Place): string =>
  computed._tag === "Expr" && computed.checked.result === "boolean"
    ? compileCondition(computed.checked, accessOf(emitter, operator, place), emitter.scope, emitter.known)
    : `${valueCode(emitter, operator, computed, place)} === true`

const valueCode = (emitter: Emitter, operator: PlannedOperator, computed: PlannedComputed, place: Place): string =>
  computed._tag === "Expr"
    ? compileValue(computed.checked, accessOf(emitter, operator, place), emitter.scope)
    : `${emitter.scope.constant(computed.fn)}(${recordOf(place)})`

const operatorCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string => {
  const { node } = operator
  if (place.joined !== undefined && !readsColumns(operator, place.joined)) {
    const record = fresh(emitter, "record")
    return `{ const ${record} = ${place.joined.made}; ${operatorCode(emitter, operator, { record, read: place.read })} }`
  }
  switch (node.op) {
    case "filter":
      return filterCode(emitter, operator, place)
    case "route":
      return routeCode(emitter, operator, node, place)
    case "extend":
      return extendCode(emitter, operator, node, place)
    case "stamp":
      return madeCode(emitter, operator, place, `{ ...${recordOf(place)}, [${JSON.stringify(node.field)}]: now }`)
    case "map":
      return madeCode(emitter, operator, place, `${emitter.scope.constant(node.fn)}(${recordOf(place)})`)
    case "flatMap":
      return manyCode(emitter, operator, place, `[...${emitter.scope.constant(node.fn)}(${recordOf(place)})]`)
    case "mapResult":
      return mapResultCode(emitter, operator, node, place)
    case "decide":
      return decideCode(emitter, operator, node, place)
    case "mapWithState":
      return stateCode(emitter, operator, node, place)
    case "catch":
      // what fails makes records, so in column mode nothing above can fail
      return place.record === undefined
        ? consumersCode(emitter, operator, place)
        : `${caughtFunction(emitter, operator)}(i, ${place.record}, ${place.read});`
    case "window":
      return windowStageCode(emitter, operator, place)
    case "pattern":
      return patternStageCode(emitter, operator, node, place)
    case "deduplicate":
    case "topN":
    case "process":
      return keyedStageCode(emitter, operator, place)
    case "joinSide":
      return joinStageCode(emitter, operator, node, place)
    case "lookup":
      return lookupCode(emitter, operator, node, place)
    case "joinTable":
      return joinTableCode(emitter, operator, node, place)
    case "to":
      return toCode(emitter, operator, node, place)
    case "repartition":
      return repartitionCode(emitter, operator, node, place)
    case "validate":
      return node.total === undefined ? "context.validated++;" : totalCode(emitter, operator, place)
    default:
      return consumersCode(emitter, operator, place)
  }
}

/** A record goes no further because no condition held. */
const leftOutCode = (emitter: Emitter, operator: PlannedOperator, { read }: Place): string => {
  const { id, name } = operator
  // behind a repartition neighbours come from anywhere
  if (read !== readInLoop || emitter.plan.writers !== undefined) {
    const offset = "i < 0 ? context.firedAt : batch.source.offsets[i]"
    return `const leftOut = ${offset}; context.filtered.add(${emitter.scope.constant(name)}, 1, leftOut, leftOut);`
  }
  emitter.counted.add(operator)
  return `if (n${id}++ === 0) first${id} = i; last${id} = i;`
}

/** What columns hold was decoded, and a row that is not `wide` has its decimals as numbers. */
const totalCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string => {
  const { state } = operator
  const { field } = emitter.plan.totals[state]!
  const total = `context.totals[${state}]`
  if (field === undefined) return `${total}.count();`
  if (place.record !== undefined) return guarded(emitter, operator, `${total}.addRecord(${place.record});`, "")
  const columns = place.joined?.access ?? emitter.columns
  const read = field.type._tag === "Decimal" ? columns.unscaled(field.name) : columns.number(field.name)
  return `${total}.add(${read});`
}

const filterCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string => {
  const computed = operator.computed[0]! // a filter has one condition
  const condition = conditionCode(emitter, operator, computed, place)
  const follow = `{ ${consumersCode(emitter, operator, place)} } else { ${leftOutCode(emitter, operator, place)} }`
  if (computed._tag === "Expr") return `if (${condition}) ${follow}`
  const keep = fresh(emitter, "keep")
  const after = `if (${keep}) ${follow}`
  return `let ${keep} = false; ${guarded(emitter, operator, `${keep} = ${condition};`, after)}`
}

const routeCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"route">, place: Place): string => {
  const taken = fresh(emitter, "branch")
  const pick = node.branches
    .map((_, index) => {
      const computed = operator.computed[index]
      const condition = computed === undefined ? "true" : conditionCode(emitter, operator, computed, place)
      return `if (${condition}) ${taken} = ${index};`
    })
    .join(" else ")
  const cases = operator.consumers.map((consumer) => {
    const branch = emitter.plan.operators[consumer]!
    const index = node.branches.findIndex(([name]) => branch.node.op === "branch" && branch.node.branch === name)
    return `if (${taken} === ${index}) { ${consumersCode(emitter, branch, place)} }`
  })
  const onward = branchesUsed(emitter.plan, operator, node)
  const leftOut = `if (${onward.map((index) => `${taken} !== ${index}`).join(" && ")}) { ${leftOutCode(emitter, operator, place)} }`
  const everyOne = onward.length === node.branches.length && operator.computed.includes(undefined)
  const run = [...cases, ...(everyOne ? [] : [leftOut])].join("\n")
  const throws = operator.computed.some((computed) => computed?._tag === "Code")
  return `let ${taken} = -1; ${throws ? guarded(emitter, operator, pick, run) : `${pick}\n${run}`}`
}

const extendCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"extend">, place: Place): string => {
  const fields = node.fields.map(
    ([name], index) => `[${JSON.stringify(name)}]: ${valueCode(emitter, operator, operator.computed[index]!, place)}`
  )
  return madeCode(emitter, operator, place, `{ ...${recordOf(place)}, ${fields.join(", ")} }`)
}

/** One record made by an expression of JavaScript that may throw. */
const madeCode = (emitter: Emitter, operator: PlannedOperator, { read }: Place, made: string): string => {
  const record = fresh(emitter, "record")
  const rest = consumersCode(emitter, operator, { record, read })
  return `let ${record}; ${guarded(emitter, operator, `${record} = ${made};`, rest)}`
}

/** Several records, as an array made by code that may throw. */
const manyCode = (emitter: Emitter, operator: PlannedOperator, { read }: Place, made: string, setup = ""): string => {
  const records = fresh(emitter, "records")
  const record = fresh(emitter, "record")
  const each = `for (const ${record} of ${records}) { ${consumersCode(emitter, operator, { record, read })} }`
  return `let ${records}; ${guarded(emitter, operator, `${setup}${records} = ${made};`, each)}`
}

const mapResultCode = (
  emitter: Emitter,
  operator: PlannedOperator,
  node: NodeOf<"mapResult">,
  place: Place
): string => {
  const result = fresh(emitter, "result")
  const failed = fresh(emitter, "failed")
  const record = fresh(emitter, "record")
  const input = recordOf(place)
  const made = `${result} = ${emitter.scope.constant(node.fn)}(${input});
if (${result}._tag !== "Success") ${failed} = ${emitter.scope.constant(asFailed)}(${result}.failure, ${input}, now);`
  const success = `const ${record} = ${result}.success; ${consumersCode(emitter, operator, { record, read: place.read })}`
  const failure = failureCode(emitter, operator, place, failed)
  return `let ${result}, ${failed}; ${guarded(
    emitter,
    operator,
    made,
    `if (${failed} === undefined) { ${success} } else { ${failure} }`
  )}`
}

/** Sends the failure in variable `failed` to the first handler for its tag further down. */
const failureCode = (emitter: Emitter, from: PlannedOperator, { read }: Place, failed: string): string => {
  const follow = (id: number | undefined): string => {
    const operator = id === undefined ? undefined : emitter.plan.operators[id]
    // the types let no failure end without a handler; one that does is not lost
    if (operator === undefined) return `context.deadLetter(batch, i, ${failed}, -1);`
    const { node } = operator
    if (node.op === "catch") {
      const handlers = emitter.scope.constant(node.handlers)
      const record = fresh(emitter, "record")
      const made = `${record} = ${handlers}.get(${failed}._tag)(${failed});`
      const handled = `let ${record}; ${guarded(emitter, operator, made, `${caughtFunction(emitter, operator)}(i, ${record}, ${read});`)}`
      return `if (${handlers}.has(${failed}._tag)) { ${handled} } else { ${follow(operator.consumers[0])} }`
    }
    if (node.op === "orDeadLetter") {
      if (node.make === undefined) return `context.deadLetter(batch, i, ${failed}, ${operator.output});`
      return guarded(
        emitter,
        operator,
        `context.outputs[${operator.output}].record(${emitter.scope.constant(node.make)}(${failed}));`,
        `context.failed(batch, i, ${operator.output});`
      )
    }
    return follow(operator.consumers[0])
  }
  return follow(from.consumers[0])
}

/** The function that runs what comes after a catch operator: records and handled failures both call it. */
const caughtFunction = (emitter: Emitter, operator: PlannedOperator): string => {
  const name = `caught${operator.id}`
  if (!emitter.functions.some((code) => code.startsWith(`function ${name}(`))) {
    const at = emitter.functions.push(`function ${name}(`) - 1 // holds the place while the consumers are emitted
    emitter.functions[at] =
      `function ${name}(i, record, read) { ${consumersCode(emitter, operator, { record: "record", read: "read" })} }`
  }
  return name
}

const stateCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"mapWithState">, place: Place): string => {
  const keyOf = emitter.scope.constant(makeStateKey(operator))
  const key = fresh(emitter, "key")
  const state = fresh(emitter, "state")
  const answer = fresh(emitter, "answer")
  const input = recordOf(place)
  const setup = `const ${key} = ${keyOf}(${input}, ${place.read});
const ${state} = context.states[${operator.state}];
const ${answer} = ${emitter.scope.constant(node.state.update)}(${state}.get(${key}, Math.max(eventTime, watermark)), ${input}, { eventTime, watermark });
${state}.set(${key}, ${answer}[0], eventTime); `
  return manyCode(emitter, operator, place, `${answer}[1]`, setup)
}

/** Results come from no row: what follows runs for them in a function of its own, at the time of the window's end. */
const windowStageCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string => {
  const window = emitter.plan.windows[operator.state]!
  const emit = `result${operator.id}`
  const rest = consumersCode(emitter, operator, { record: "record", read: "record" })
  emitter.functions.push(`function ${emit}(record, end) {
  const i = -1, eventTimeBefore = eventTime, watermarkBefore = watermark;
  eventTime = end; watermark = end - ${window.spec.allowedLatenessMs}; shift = ${resultShiftMs};
  ${rest}
  eventTime = eventTimeBefore; watermark = watermarkBefore; shift = 0;
}`)
  return windowCode({
    scope: emitter.scope,
    operator,
    window,
    columns: columnsOf(emitter, place),
    ranges: place.record === undefined ? emitter.columns : undefined,
    record: recordOf(place),
    read: place.read,
    emit,
    fresh: (prefix) => fresh(emitter, prefix),
    guarded: (code, after) => guarded(emitter, operator, code, after)
  })
}

/** Matches come from no row either; what follows runs at their own time. */
const patternStageCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"pattern">, place: Place) => {
  const after: Place = { record: "record", read: "record" }
  const { operators, patterns } = emitter.plan
  const branch = (name: string) =>
    operator.consumers
      .filter((consumer) => isBranch(operators[consumer]!, name))
      .map((consumer) => operatorCode(emitter, operators[consumer]!, after))
      .join("\n")
  const rest = node.timeouts
    ? `if (timedOut) { ${branch("timedOut")} } else { ${branch("matched")} }`
    : consumersCode(emitter, operator, after)
  emitter.functions.push(`function match${operator.id}(record, at, timedOut) {
  const i = -1, eventTimeBefore = eventTime, watermarkBefore = watermark;
  eventTime = at; watermark = at;
  ${rest}
  eventTime = eventTimeBefore; watermark = watermarkBefore;
}`)
  return patternCode({
    scope: emitter.scope,
    operator,
    pattern: patterns[operator.state]!,
    columns: place.record === undefined ? emitter.columns : undefined,
    record: recordOf(place),
    read: place.read,
    conditions: patterns[operator.state]!.alone.map((checked) =>
      checked === undefined ? undefined : conditionCode(emitter, operator, { _tag: "Expr", checked }, place)
    ),
    fresh: (prefix) => fresh(emitter, prefix),
    guarded: (code, after) => guarded(emitter, operator, code, after)
  })
}

/** What comes of a record follows at its row, what comes of time at that time. */
const keyedStageCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string => {
  const emit = `kept${operator.id}`
  emitter.functions.push(`function ${emit}(record, at, i) {
  const read = record, eventTimeBefore = eventTime, watermarkBefore = watermark;
  if (i < 0) { eventTime = at; watermark = at; }
  ${consumersCode(emitter, operator, { record: "record", read: "read" })}
  eventTime = eventTimeBefore; watermark = watermarkBefore;
}`)
  return keyedCode({
    scope: emitter.scope,
    operator,
    plan: emitter.plan.keyed[operator.state]!,
    record: recordOf(place),
    read: place.read,
    emit,
    fresh: (prefix) => fresh(emitter, prefix),
    guarded: (code, after) => guarded(emitter, operator, code, after)
  })
}

/** A side of a join; of several when a join is used under two names. */
const joinStageCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"joinSide">, place: Place): string => {
  const deletes = operator.computed[0]
  return operator.consumers
    .map((consumer) => {
      const join = emitter.plan.operators[consumer]!
      return joinSideCode({
        scope: emitter.scope,
        operator,
        join,
        side: node.side,
        plan: emitter.plan.joins[join.state]!,
        columns: place.record === undefined ? emitter.columns : undefined,
        record: recordOf(place),
        read: place.read,
        deleted: deletes === undefined ? undefined : conditionCode(emitter, operator, deletes, place),
        emit: joinedFunction(emitter, join),
        fresh: (prefix) => fresh(emitter, prefix),
        guarded: (code, after) => guarded(emitter, join, code, after)
      })
    })
    .join("\n")
}

/** Results come from no row; what follows them both sides share. */
const joinedFunction = (emitter: Emitter, join: PlannedOperator): string => {
  const name = `joined${join.id}`
  if (emitter.functions.some((code) => code.startsWith(`function ${name}(`))) return name
  const read = `${emitter.scope.constant(keptRecordOf)}(by, context)`
  const rest = consumersCode(emitter, join, { record: "record", read })
  // a repartition takes from it what the join holds time back by
  const behindMs = join.node.op === "join" ? resultsBehindMs(join.node.join) : 0
  emitter.functions.push(`function ${name}(record, by, at, to) {
  const i = -1, eventTimeBefore = eventTime, watermarkBefore = watermark, clockBefore = clock, beforeBefore = before;
  eventTime = at; watermark = to; clock = before = to + ${behindMs};
  ${rest}
  eventTime = eventTimeBefore; watermark = watermarkBefore; clock = clockBefore; before = beforeBefore;
}`)
  return name
}

/** Records enter here; what follows runs for their outcomes, later, in a function of its own. */
const lookupCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"lookup">, place: Place): string => {
  const { scope } = emitter
  const after: Place = { record: "record", read: "read" }
  const merged =
    node.as === undefined
      ? "{ ...entry.record, ...outcome.answer }"
      : `{ ...entry.record, [${JSON.stringify(node.as)}]: outcome.answer }`
  emitter.functions.push(`function answered${operator.id}(entry) {
  const i = -1, outcome = entry.outcome, read = entry.read;
  if (outcome._tag === "Answered") { const record = ${merged}; ${consumersCode(emitter, operator, after)} }
  else if (outcome._tag === "Failed") { const failed = outcome.failed; ${failureCode(emitter, operator, after, "failed")} }
  else context.threw(batch, i, ${scope.constant(operator.name)}, outcome.error);
}`)
  const key = fresh(emitter, "key")
  const record = recordOf(place)
  const ask = `context.ask(${operator.state}, batch, i, ${place.read}, ${record}, ${key}, eventTime, watermark);`
  return `let ${key}; ${guarded(emitter, operator, `${key} = ${scope.constant(node.keyOf)}(${record});`, ask)}`
}

const joinTableCode = (
  emitter: Emitter,
  operator: PlannedOperator,
  node: NodeOf<"joinTable">,
  place: Place
): string => {
  const input = recordOf(place)
  const row = fresh(emitter, "row")
  const columns = columnsOf(emitter, place)
  const { found, joined, made } = tableCode({ scope: emitter.scope, operator, node, columns, input, row })
  if (joined !== undefined) {
    const taken = [...(place.joined?.taken ?? []), ...joined.taken]
    return `${found} ${consumersCode(emitter, operator, { ...place, joined: { ...joined, taken } })}`
  }
  const record = fresh(emitter, "record")
  return `${found} const ${record} = ${made}; ${consumersCode(emitter, operator, { record, read: place.read })}`
}

const decideCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"decide">, place: Place): string => {
  const { plan, scope } = emitter
  // planned from conditions only
  const conditions = operator.computed.flatMap((computed) =>
    computed?._tag === "Expr" && computed.checked.result === "boolean" ? [computed.checked] : []
  )
  const holding = fresh(emitter, "holding")
  const decision = fresh(emitter, "decision")
  const at = fresh(emitter, "at")
  const made =
    place.record === undefined
      ? decideOnColumns(holding, conditions, emitter.source.shape, scope)
      : decideOnRecord(holding, conditions, (record) => recordAccess(operator.shape!, scope, record), scope)
  emitter.functions.push(`const ${holding} = [];\n${made.declarations}`)
  emitter.batchStart.push(made.batchStart)
  const offset = "i < 0 ? context.firedAt : batch.source.offsets[i]"
  const position =
    plan.writers === undefined
      ? `{ topic: ${scope.constant(plan.source.name)}, partition: context.partition, offset: ${offset} }`
      : `${scope.constant(originOf)}(${scope.constant(plan.origins)}, ${offset})`
  const decided = `${decision} = ${scope.constant(node.decider.decide)}(${holding}[${at}], ${recordOf(place)}, ${position});`
  const each = `let ${decision}; ${guarded(emitter, operator, decided, consumersCode(emitter, operator, { record: decision, read: place.read }))}`
  return `${holding}.length = 0; ${made.calls(holding, place.record ?? "")}
if (${holding}.length === 0) { ${leftOutCode(emitter, operator, place)} }
for (let ${at} = 0; ${at} < ${holding}.length; ${at}++) { ${each} }`
}

const toCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"to">, place: Place): string =>
  place.record === undefined && passesUnchanged(emitter.source, node.topic)
    ? passCode(emitter, operator, node.topic)
    : guarded(emitter, operator, `context.outputs[${operator.output}].record(${recordOf(place)});`, "")

const repartitionCode = (
  emitter: Emitter,
  operator: PlannedOperator,
  { fields, topic }: NodeOf<"repartition">,
  place: Place
): string => {
  const { source } = emitter
  const writer = `context.repartitions[${operator.output}]`
  const stamp = stampCode(emitter.plan)
  const key = fields.length === 1 ? source.shape.byName.get(fields[0]!) : undefined
  if (place.record !== undefined || key?.type._tag !== "Text" || !sameFields(source.shape, topic.shape)) {
    return guarded(emitter, operator, `${writer}.record(${recordOf(place)}, ${stamp});`, "")
  }
  const range = emitter.columns.range(key.name).join(", ")
  const pass = `${writer}.pass(batch.bytes, batch.source.valueStarts[i], batch.source.valueEnds[i], ${range}, ${stamp});`
  return guarded(emitter, operator, pass, "")
}
