/**
 * Conditions of a decider as generated functions that note which of them hold for a row.
 *
 * Part of `CompileStage`. Hundreds of conditions in one loop are more than an optimising compiler takes on, so they are
 * cut into functions of a few dozen; each is made anew for a batch, over that batch's columns.
 */
import {
  type CheckedExpr,
  type CodeScope,
  columnAccess,
  compileCondition,
  type FieldAccess,
  type RecordShape
} from "@frazil/core"

const conditionsPerFunction = 32

type Condition = Extract<CheckedExpr, { result: "boolean" }>

interface DecideCode {
  /** Stands outside of the loop over batches. */
  readonly declarations: string
  /** Stands where a batch begins. */
  readonly batchStart: string
  /** Calls that push the indexes of the conditions that hold to the array in `into`. */
  readonly calls: (into: string, record: string) => string
}

const chunksOf = (conditions: ReadonlyArray<Condition>): ReadonlyArray<ReadonlyArray<readonly [number, Condition]>> => {
  const chunks: Array<Array<readonly [number, Condition]>> = []
  for (const [index, condition] of conditions.entries()) {
    if (index % conditionsPerFunction === 0) chunks.push([])
    chunks.at(-1)!.push([index, condition])
  }
  return chunks
}

const bodyOf = (chunk: ReadonlyArray<readonly [number, Condition]>, access: FieldAccess, scope: CodeScope) =>
  chunk
    .map(([index, condition]) => `if (${compileCondition(condition, access, scope)}) into.push(${index});`)
    .join("\n")

/** Conditions over the columns of the batch; `prefix` is an identifier of the operator's own. */
export const decideOnColumns = (
  prefix: string,
  conditions: ReadonlyArray<Condition>,
  shape: RecordShape,
  scope: CodeScope
): DecideCode => {
  const chunks = chunksOf(conditions)
  const declarations = chunks.map((chunk, at) => {
    const access = columnAccess(shape, scope)
    const body = bodyOf(chunk, access, scope)
    return `let ${prefix}${at};
const ${prefix}make${at} = (batch) => { ${access.prelude()}
return (i, into) => { ${body} }; };`
  })
  return {
    declarations: declarations.join("\n"),
    batchStart: chunks.map((_, at) => `${prefix}${at} = ${prefix}make${at}(b);`).join("\n"),
    calls: (into) => chunks.map((_, at) => `${prefix}${at}(i, ${into});`).join(" ")
  }
}

/** Conditions over a record object; `accessOf` reads the fields of the record in the variable it is given. */
export const decideOnRecord = (
  prefix: string,
  conditions: ReadonlyArray<Condition>,
  accessOf: (variable: string) => FieldAccess,
  scope: CodeScope
): DecideCode => {
  const chunks = chunksOf(conditions)
  const declarations = chunks.map(
    (chunk, at) => `const ${prefix}${at} = (record, into) => { ${bodyOf(chunk, accessOf("record"), scope)} };`
  )
  return {
    declarations: declarations.join("\n"),
    batchStart: "",
    calls: (into, record) => chunks.map((_, at) => `${prefix}${at}(${record}, ${into});`).join(" ")
  }
}
