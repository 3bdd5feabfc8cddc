/**
 * The generated code of a join with a table: find the row under the record's key.
 *
 * Part of `CompileStage`. In column mode nothing is made: what follows reads the record's fields from columns and the table's
 * from the row, and a record is made where something needs one.
 */
import { type CodeScope, type FieldAccess, recordAccess } from "@frazil/core"
import type { AnyRecord, NodeOf } from "../flow/Node.ts"
import type { PlannedOperator } from "../plan/StagePlan.ts"

/** A row of a batch with what tables gave for it. */
export interface JoinedRow {
  readonly access: FieldAccess
  /** Makes the record. */
  readonly made: string
  readonly taken: ReadonlyArray<string>
}

export interface TableCode {
  readonly scope: CodeScope
  readonly operator: PlannedOperator
  readonly node: NodeOf<"joinTable">
  /** Reads columns; undefined in record mode. */
  readonly columns: FieldAccess | undefined
  /** Makes, or is, the record before the join. */
  readonly input: string
  /** The row's variable. */
  readonly row: string
}

// without what every object inherits: fields are read of it by any name
const noRow: AnyRecord = Object.freeze(Object.create(null) as AnyRecord)
// a number without a value is no key, as null is none
const numberKey = (value: number): number | null => (value === value ? value : null)

/** `found` binds the row; in column mode `joined` tells how to read what comes of it, else `made` makes the record. */
export const tableCode = ({ columns, input, node, operator, row, scope }: TableCode) => {
  const taken = node.take.map((field) => `[${JSON.stringify(field)}]: ${row}[${JSON.stringify(field)}] ?? null`)
  const made = `({ ...${input}, ${taken.join(", ")} })`
  const find = (key: string) =>
    `const ${row} = context.tables[${operator.state}].get(${key}) ?? ${scope.constant(noRow)};`
  const on = operator.shape?.byName.get(node.on)
  if (columns === undefined || on === undefined || on.type._tag === "Decimal")
    return { made, joined: undefined, found: find(`${input}[${JSON.stringify(node.on)}]`) }
  const key =
    on.type._tag === "Text" ? columns.text(node.on) : `${scope.constant(numberKey)}(${columns.number(node.on)})`
  const joined: JoinedRow = { made, taken: node.take, access: joinedAccess(columns, node, scope, row) }
  return { made, joined, found: find(key) }
}

/** The fields that a table gave, beside those of columns. */
const joinedAccess = (
  columns: FieldAccess,
  { take, table }: NodeOf<"joinTable">,
  scope: CodeScope,
  row: string
): FieldAccess => {
  const rows = recordAccess(table.shape, scope, row)
  const of = (name: string) => (take.includes(name) ? rows : columns)
  // without `bytesPass`: what a table gave is a string
  return {
    number: (name) => of(name).number(name),
    unscaled: (name) => of(name).unscaled(name),
    boolean: (name) => of(name).boolean(name),
    text: (name) => of(name).text(name),
    textEquals: (name, literal) => of(name).textEquals(name, literal),
    isNull: (name) => of(name).isNull(name)
  }
}

/** A decimal of a table may be larger than columns hold; windows and totals add up numbers of columns. */
const isWide = (operator: PlannedOperator, field: string): boolean => {
  const type = operator.shape?.byName.get(field)?.type
  return type?._tag === "Decimal" && type.precision > 15
}

/** Whether an operator reads fields where they are and hands records on as they are: all else is given a record. */
export const readsColumns = (operator: PlannedOperator, { taken }: JoinedRow): boolean => {
  const { computed, node } = operator
  switch (node.op) {
    case "filter":
    case "route":
      return computed.every((each) => each?._tag !== "Code")
    case "window": {
      // whether a key that the table gave is the record's own, is asked of records
      if (node.key.some((field) => taken.includes(field))) return false
      return !node.aggregates.some(([, of]) =>
        taken.some((field) => "field" in of && of.field === field && isWide(operator, field))
      )
    }
    case "validate": {
      const sum = node.total?.sum
      return sum === undefined || !taken.includes(sum) || !isWide(operator, sum)
    }
    case "branch":
    case "joinTable":
    case "keyBy":
      return true
    default:
      return false
  }
}
