/** Changes of a table's schema and partition spec, each kind with what it makes of the table in memory. */
import type { PartitionChange } from "../../../src/spec/PartitionChange.ts"
import type { SchemaChange } from "../../../src/spec/SchemaChange.ts"
import type { Column } from "./TableModel.ts"
import { balanceKey, column, type Division, idKey, type World } from "./ModelWorld.ts"

export interface Evolved {
  readonly changes: ReadonlyArray<SchemaChange>
  readonly columns: ReadonlyArray<Column>
}

/** A column that came later, of those that fit; undefined when there is none. */
const some = ({ below, columns }: World, fits: (column: Column) => boolean = () => true): Column | undefined => {
  const extras = columns.filter((each) => each.key > balanceKey && fits(each))
  return extras[below(Math.max(1, extras.length))]
}

/** One that a change of this kind can be made of, if the table can have it. */
export const addColumn = (world: World, kind: SchemaChange["_tag"]): Evolved => {
  const { below, columns } = world
  const name = `x${world.nextKey}`
  const type = kind === "WidenColumn" ? "int" : (["int", "string", "decimal"] as const)[below(3)]!
  const defaulted = kind === "ChangeDefault" || below(2) === 0
  const value = world.version === 3 && defaulted ? { int: "7", string: "none", decimal: "1.50" }[type] : undefined
  const added: Column = { key: world.nextKey++, name, type, initial: value ?? null, write: value ?? null }
  const json = type === "int" && value !== undefined ? Number(value) : value
  const of = type === "decimal" ? ({ _tag: type, precision: 12, scale: 2 } as const) : ({ _tag: type } as const)
  const change = { _tag: "AddColumn", name, type: of } as const
  return { changes: [json === undefined ? change : { ...change, defaultValue: json }], columns: [...columns, added] }
}

/** Of a column that came later: the change, and the column after it, or none. */
const ofSome =
  (
    fits: (column: Column) => boolean,
    change: (column: Column, world: World) => readonly [SchemaChange, Column | undefined]
  ) =>
  (world: World): Evolved | undefined => {
    const found = some(world, fits)
    if (found === undefined) return undefined
    const [made, after] = change(found, world)
    return { changes: [made], columns: world.columns.flatMap((each) => (each === found ? (after ?? []) : each)) }
  }

const any = () => true

/** Undefined: no column of the table can be changed so now. */
const changes: Readonly<Record<SchemaChange["_tag"], (world: World) => Evolved | undefined>> = {
  AddColumn: (world) => addColumn(world, "AddColumn"),
  DropColumn: ofSome(any, ({ name }) => [{ _tag: "DropColumn", column: name }, undefined]),
  RenameColumn: ofSome(any, (each, world) => {
    const name = `x${world.nextKey++}`
    return [
      { _tag: "RenameColumn", column: each.name, name },
      { ...each, name }
    ]
  }),
  WidenColumn: ofSome(
    ({ type }) => type === "int",
    (each) => [
      { _tag: "WidenColumn", column: each.name, type: { _tag: "long" } },
      { ...each, type: "long" }
    ]
  ),
  ChangeDefault: ofSome(
    ({ write }) => write !== null,
    (each, world) => {
      const key = world.nextKey++
      const value = each.type === "string" ? `none${key}` : each.type === "decimal" ? `${key}.25` : String(key)
      const json = each.type === "string" || each.type === "decimal" ? value : key
      return [
        { _tag: "ChangeDefault", column: each.name, defaultValue: json },
        { ...each, write: value }
      ]
    }
  ),
  DescribeColumn: ofSome(any, (each, { below }) => [
    { _tag: "DescribeColumn", column: each.name, doc: `d${below(9)}` },
    each
  ]),
  MoveColumn: ofSome(any, (each) => [{ _tag: "MoveColumn", column: each.name, to: { _tag: "First" } }, each]),
  MakeOptional: (world) => {
    world.idOptional = true
    const { name } = column(world, idKey)
    // what identifies rows stays required
    const free = { _tag: "SetIdentifierColumns", columns: [] } as const
    return { changes: [free, { _tag: "MakeOptional", column: name }], columns: world.columns }
  },
  SetIdentifierColumns: (world) => {
    const named = world.idOptional || world.below(3) === 0 ? [] : [column(world, idKey).name]
    return { changes: [{ _tag: "SetIdentifierColumns", columns: named }], columns: world.columns }
  }
}

export const schemaChangeKinds = Object.keys(changes) as ReadonlyArray<SchemaChange["_tag"]> // a record of just these

/** A change of this kind; undefined where no column can be changed so. */
export const schemaChange = (world: World, kind: SchemaChange["_tag"]): Evolved | undefined => changes[kind](world)

/** Undefined: the table is divided by everything. */
export const partitionAdded = (world: World): PartitionChange | undefined => {
  const free = (["country", "tens"] as const).filter((each) => !world.by.includes(each))
  const by: Division | undefined = free[world.below(Math.max(1, free.length))]
  if (by === undefined) return undefined
  world.fieldNames.set(by, by)
  world.by = [...world.by, by]
  return by === "country"
    ? { _tag: "AddPartitionField", column: "country", transform: { _tag: "identity" } }
    : { _tag: "AddPartitionField", column: "id", transform: { _tag: "truncate", width: 10 }, name: "tens" }
}

/** Undefined: the table is not divided. */
export const partitionRemoved = (world: World): PartitionChange | undefined => {
  const by = world.by[world.below(Math.max(1, world.by.length))]
  if (by === undefined) return undefined
  const name = world.fieldNames.get(by)!
  world.fieldNames.delete(by)
  world.by = world.by.filter((each) => each !== by)
  return { _tag: "RemovePartitionField", name }
}

/** Undefined: the table is not divided. */
export const partitionRenamed = (world: World): PartitionChange | undefined => {
  const [by] = world.by
  if (by === undefined) return undefined
  const to = `p${world.nextKey++}`
  const name = world.fieldNames.get(by)!
  world.fieldNames.set(by, to)
  return { _tag: "RenamePartitionField", name, to }
}
