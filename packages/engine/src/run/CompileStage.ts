/**
 * Turns a stage's plan into one loop over a batch: neighbouring operators become nested blocks of generated JavaScript.
 *
 * Rows start in column mode (expressions read typed arrays, no object exists); the first operator that needs a record
 * switches its branch to record mode. Names of fields, literals and user functions reach the code only as constants or
 * through the expression compiler. The twin is `InterpretStage`, which also takes rows whose decimals do not fit a double.
 */
import {
  type CodeScope,
  columnAccess,
  compileCondition,
  compileValue,
  type FieldAccess,
  makeCodeScope,
  recordAccess
} from "@frazil/core"
import type { NodeOf } from "../flow/Node.ts"
import { passesUnchanged } from "../plan/PassThrough.ts"
import { isBranch, type PlannedComputed, type PlannedOperator, type StagePlan } from "../plan/StagePlan.ts"
import { decideOnColumns, decideOnRecord } from "./CompileDecide.ts"
import { patternCode } from "./CompilePattern.ts"
import { windowCode } from "./CompileWindow.ts"
import { asFailed, interpretAnswer, interpretRow } from "./InterpretStage.ts"
import { afterLead } from "./Lead.ts"
import { makeStateKey } from "./StateKey.ts"
import type { StageProgram } from "./StageProgram.ts"

/** Where code is emitted: `record` is the record's variable, undefined in column mode; `read` the record as it was read. */
interface Place {
  readonly record: string | undefined
  readonly read: string
}

interface Emitter {
  readonly plan: StagePlan
  readonly scope: CodeScope
  readonly columns: FieldAccess
  /** Functions of catch operators, which two ways lead to. */
  readonly functions: Array<string>
  /** Statements that stand where a batch begins. */
  readonly batchStart: Array<string>
  variables: number
}

export const compileStage = (plan: StagePlan): StageProgram => {
  const scope = makeCodeScope()
  const columns = columnAccess(plan.source.shape, scope)
  const emitter: Emitter = { plan, scope, columns, functions: [], batchStart: [], variables: 0 }
  const rows = consumersCode(emitter, plan.operators[0]!, { record: undefined, read: "recordAt(i)" })
  const time = plan.eventTimeField === undefined ? undefined : columns.number(plan.eventTimeField)
  const interpret = scope.constant(interpretRow(plan))
  const body = `"use strict";
let batch, context, now, last = -1, lastRecord, eventTime = NaN, watermark = -Infinity;
const recordAt = (i) => { if (i !== last) { lastRecord = context.record(batch, i); last = i; } return lastRecord; };
${emitter.functions.join("\n")}
${fireFunctions(plan)}
return { run(b, c, t) {
  batch = b; context = c; now = t; last = -1;
  const length = batch.length, valid = batch.valid, wide = batch.wide;
  ${columns.prelude()}
  ${emitter.batchStart.join("\n")}
  const time = context.time, lead = context.lead;
  let maxEventTime = time.maxEventTime, leadAt = leadAfter(maxEventTime);
  for (let i = 0; i < length; i++) {
    if (valid[i] === 0) continue;
    ${time === undefined ? "" : `eventTime = ${time}; watermark = maxEventTime - ${plan.outOfOrdernessMs};`}
    if (wide[i] !== 0) ${interpret}(batch, i, context, now, eventTime, watermark);
    else { ${rows} }
    ${time === undefined ? "" : advance(plan, scope)}
  }
  time.maxEventTime = maxEventTime;
}, advance(c, t, to) { context = c; now = t; ${advanceCode(plan)} }, close(c, t) { context = c; now = t; ${closeCode(plan)} },
answer(lookup, entry, c, t) { ${answerCode(plan, scope)} } };`
  // generated from the plan alone; see the header
  const build = new Function(...scope.names, body) as (...constants: ReadonlyArray<unknown>) => StageProgram
  return build(...scope.values)
}

/** A record's outcome, at the record's own time. */
const answerCode = (plan: StagePlan, scope: CodeScope): string => {
  const cases = plan.lookups.map(({ operator }, index) => {
    const interpret = scope.constant(interpretAnswer(plan, plan.operators[operator]!))
    return `case ${index}: if (entry.wide) ${interpret}(entry, c, t); else answered${operator}(entry); return;`
  })
  return `context = c; now = t; eventTime = entry.eventTime; watermark = entry.watermark;
switch (lookup) { ${cases.join("\n")} }`
}

/** The watermark moves on, and windows that it passes fire, before the next record. */
const advance = (plan: StagePlan, scope: CodeScope): string => `if (eventTime > maxEventTime) {
  if (eventTime < leadAt) { maxEventTime = eventTime; lead.inRow = 0; }
  else { time.maxEventTime = maxEventTime; maxEventTime = ${scope.constant(afterLead)}(batch, i, context, ${scope.constant(plan.name)}, eventTime); }
  leadAt = leadAfter(maxEventTime);
  ${plan.windows.length + plan.patterns.length === 0 ? "" : `fire(maxEventTime - ${plan.outOfOrdernessMs}, i);`}
} else lead.inRow = 0;`

const fireFunctions = (
  plan: StagePlan
): string => `const leadAfter = (time) => time === -Infinity ? Infinity : time + ${plan.leadMs};
const fire = (watermark, i) => { ${windowsOf(plan)
  .map(
    ({ id, state }) =>
      `if (watermark >= context.windows[${state}].nextAt) { context.firedAt = batch.source.offsets[i]; context.windows[${state}].fire(watermark, result${id}); }`
  )
  .concat(
    patternsOf(plan).map(
      ({ id, state }) =>
        `if (watermark > context.patterns[${state}].nextAt()) { context.firedAt = batch.source.offsets[i]; context.patterns[${state}].advance(watermark, context, match${id}); }`
    )
  )
  .join("\n")} };`

const advanceCode = (plan: StagePlan): string =>
  [
    ...windowsOf(plan).map(({ id, state }) => `context.windows[${state}].fire(to, result${id});`),
    ...patternsOf(plan).map(({ id, state }) => `context.patterns[${state}].advance(to, context, match${id});`)
  ].join("\n")

const closeCode = (plan: StagePlan): string =>
  [
    ...windowsOf(plan).map(({ id, state }) => `context.windows[${state}].close(result${id});`),
    ...patternsOf(plan).map(({ id, state }) => `context.patterns[${state}].close(context, match${id});`)
  ].join("\n")

const windowsOf = (plan: StagePlan) => plan.operators.filter(({ node }) => node.op === "window")
const patternsOf = (plan: StagePlan) => plan.operators.filter(({ node }) => node.op === "pattern")

const fresh = (emitter: Emitter, prefix: string) => `${prefix}${emitter.variables++}`

const recordOf = (place: Place) => place.record ?? "recordAt(i)"

const consumersCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string =>
  operator.consumers.map((consumer) => operatorCode(emitter, emitter.plan.operators[consumer]!, place)).join("\n")

const accessOf = (emitter: Emitter, operator: PlannedOperator, place: Place): FieldAccess =>
  // an expression was checked against the shape, so there is one
  place.record === undefined ? emitter.columns : recordAccess(operator.shape!, emitter.scope, place.record)

/** `code` with what it throws sent to the dead letter; `after` runs when nothing was thrown. */
const guarded = (emitter: Emitter, operator: PlannedOperator, code: string, after: string): string => {
  const done = fresh(emitter, "ok")
  const name = emitter.scope.constant(operator.name)
  return `{ let ${done} = true; try { ${code} } catch (error) { ${done} = false; context.threw(batch, i, ${name}, error); }
if (${done}) { ${after} } }`
}

const conditionCode = (emitter: Emitter, operator: PlannedOperator, computed: PlannedComputed, place: Place): string =>
  computed._tag === "Expr" && computed.checked.result === "boolean"
    ? compileCondition(computed.checked, accessOf(emitter, operator, place), emitter.scope)
    : `${valueCode(emitter, operator, computed, place)} === true`

const valueCode = (emitter: Emitter, operator: PlannedOperator, computed: PlannedComputed, place: Place): string =>
  computed._tag === "Expr"
    ? compileValue(computed.checked, accessOf(emitter, operator, place), emitter.scope)
    : `${emitter.scope.constant(computed.fn)}(${recordOf(place)})`

const operatorCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string => {
  const { node } = operator
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
    case "lookup":
      return lookupCode(emitter, operator, node, place)
    case "joinTable":
      return joinTableCode(emitter, operator, node, place)
    case "to":
      return toCode(emitter, operator, node, place)
    case "validate":
      return "context.validated++;"
    default:
      return consumersCode(emitter, operator, place)
  }
}

const filterCode = (emitter: Emitter, operator: PlannedOperator, place: Place): string => {
  const computed = operator.computed[0]! // a filter has one condition
  const condition = conditionCode(emitter, operator, computed, place)
  if (computed._tag === "Expr") return `if (${condition}) { ${consumersCode(emitter, operator, place)} }`
  const keep = fresh(emitter, "keep")
  const after = `if (${keep}) { ${consumersCode(emitter, operator, place)} }`
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
  const run = cases.join("\n")
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
        ""
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
  eventTime = end; watermark = end - ${window.spec.allowedLatenessMs};
  ${rest}
  eventTime = eventTimeBefore; watermark = watermarkBefore;
}`)
  return windowCode({
    scope: emitter.scope,
    operator,
    window,
    columns: place.record === undefined ? emitter.columns : undefined,
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
    conditions: operator.computed.map((computed) =>
      computed?._tag === "Expr" ? conditionCode(emitter, operator, computed, place) : undefined
    ),
    fresh: (prefix) => fresh(emitter, prefix),
    guarded: (code, after) => guarded(emitter, operator, code, after)
  })
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
  const row = fresh(emitter, "row")
  const record = fresh(emitter, "record")
  const input = recordOf(place)
  const taken = node.take.map((field) => {
    const name = JSON.stringify(field)
    return `[${name}]: ${row} === undefined ? null : ${row}[${name}]`
  })
  return `const ${row} = context.tables[${operator.state}].get(${input}[${JSON.stringify(node.on)}]);
const ${record} = { ...${input}, ${taken.join(", ")} };
${consumersCode(emitter, operator, { record, read: place.read })}`
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
      ? decideOnColumns(holding, conditions, plan.source.shape, scope)
      : decideOnRecord(holding, conditions, (record) => recordAccess(operator.shape!, scope, record), scope)
  emitter.functions.push(`const ${holding} = [];\n${made.declarations}`)
  emitter.batchStart.push(made.batchStart)
  const position = `{ topic: ${scope.constant(plan.source.name)}, partition: context.partition, offset: i < 0 ? context.firedAt : batch.source.offsets[i] }`
  const decided = `${decision} = ${scope.constant(node.decider.decide)}(${holding}[${at}], ${recordOf(place)}, ${position});`
  const each = `let ${decision}; ${guarded(emitter, operator, decided, consumersCode(emitter, operator, { record: decision, read: place.read }))}`
  return `${holding}.length = 0; ${made.calls(holding, place.record ?? "")}
for (let ${at} = 0; ${at} < ${holding}.length; ${at}++) { ${each} }`
}

const toCode = (emitter: Emitter, operator: PlannedOperator, node: NodeOf<"to">, place: Place): string => {
  const output = `context.outputs[${operator.output}]`
  if (place.record !== undefined || !passesUnchanged(emitter.plan.source, node.topic)) {
    return guarded(emitter, operator, `${output}.record(${recordOf(place)});`, "")
  }
  const field = node.topic.key[0] === undefined ? undefined : emitter.plan.source.shape.byName.get(node.topic.key[0])
  const key =
    field === undefined ? "-1, -1" : `batch.columns[${field.index}].starts[i], batch.columns[${field.index}].ends[i]`
  return `${output}.pass(batch.bytes, batch.source.valueStarts[i], batch.source.valueEnds[i], ${key});`
}
