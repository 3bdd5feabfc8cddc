/** A table in memory with all that was done to it, and what is chosen next: rows and filters, by its own random numbers. */
import type { Filter } from "../../../src/read/Filter.ts"
import type { PartitionChange } from "../../../src/spec/PartitionChange.ts"
import type { SchemaChange } from "../../../src/spec/SchemaChange.ts"
import type { TableAction } from "../../../src/write/TableAction.ts"
import { type Column, type Kept, type Row, selectOf, valueOf } from "./TableModel.ts"

export const countries = ["US", "DE", "null", null]
export const [idKey, countryKey, balanceKey] = [1, 2, 3]

/** What files are divided by: identity of the country, tens of the id. */
export type Division = "country" | "tens"

/** Everything that can be done to a table: a new kind does not compile until it is here, and then has to be shown. */
export const kinds = {
  Append: true,
  RewriteFiles: true,
  ChangeRows: true,
  RewriteManifests: true,
  RepairManifests: true,
  CherryPick: true,
  UpgradeFormat: true,
  UpdateSchema: true,
  UpdatePartitionSpec: true,
  ReplaceSortOrder: true,
  SetProperties: true,
  SetRef: true,
  RemoveRef: true,
  Rollback: true,
  RemoveSnapshots: true,
  SetStatistics: true,
  RemoveStatistics: true,
  AddColumn: true,
  DropColumn: true,
  RenameColumn: true,
  WidenColumn: true,
  ChangeDefault: true,
  MakeOptional: true,
  DescribeColumn: true,
  MoveColumn: true,
  SetIdentifierColumns: true,
  AddPartitionField: true,
  RemovePartitionField: true,
  RenamePartitionField: true
} satisfies Record<TableAction["_tag"] | SchemaChange["_tag"] | PartitionChange["_tag"], true>
export type Kind = keyof typeof kinds

export interface World {
  readonly below: (n: number) => number
  columns: ReadonlyArray<Column>
  version: 2 | 3
  by: ReadonlyArray<Division>
  /** What their partition fields are called. */
  readonly fieldNames: Map<Division, string>
  /** Whether the id may be null, so that it can identify rows no more. */
  idOptional: boolean
  sorted: boolean
  branches: Map<string, ReadonlyArray<Row>>
  tags: Map<string, bigint>
  snapshots: Map<bigint, Kept>
  nextId: number
  nextKey: number
  /** Actions so far, for the message. */
  readonly done: Array<string>
  /** Kinds that the table has taken. */
  readonly shown: Set<Kind>
}

export const newRow = ({ below, columns }: World, id: number): Row =>
  new Map(
    columns.map(({ key, type }): readonly [number, string | null] => {
      if (key === idKey) return [key, String(id)]
      if (key === countryKey) return [key, countries[below(4)]!]
      if (below(8) === 0) return [key, null]
      const number = below(2000) - 1000
      return [key, type === "decimal" ? (number / 100).toFixed(2) : type === "string" ? `t${below(5)}` : String(number)]
    })
  )

export const someRows = (world: World, max: number): ReadonlyArray<Row> =>
  Array.from({ length: 1 + world.below(max) }, () => newRow(world, world.nextId++))

/** As SQL, some columns that have a default left out; the rows as they are then. */
export const written = (world: World, rows: ReadonlyArray<Row>) => {
  const left = world.columns.filter(({ write }) => write !== null && world.below(2) === 0)
  const given = world.columns.filter((column) => !left.includes(column))
  return {
    select: selectOf(rows, given),
    rows: rows.map((row): Row => new Map([...row, ...left.map(({ key, write }) => [key, write] as const)]))
  }
}

export const column = ({ columns }: World, key: number): Column => columns.find((each) => each.key === key)!

export interface Chosen {
  readonly filter: Filter
  /** The same for SQL, which reads rows of files that the filter left. */
  readonly sql: string
  readonly means: (row: Row) => boolean
}

export const chooseFilter = (world: World): Chosen => {
  const { below } = world
  const [id, country, balance] = [column(world, idKey), column(world, countryKey), column(world, balanceKey)]
  const cents = below(2000) - 1000
  const least = below(world.nextId + 1)
  const wanted = countries[below(4)]!
  const choices: ReadonlyArray<Chosen> = [
    wanted === null
      ? {
          filter: { _tag: "IsNull", column: country.name },
          sql: `"${country.name}" IS NULL`,
          means: (row) => valueOf(row, country) === null
        }
      : {
          filter: { _tag: "Compare", column: country.name, operator: "=", value: wanted },
          sql: `"${country.name}" = '${wanted}'`,
          means: (row) => valueOf(row, country) === wanted
        },
    {
      filter: { _tag: "Compare", column: balance.name, operator: "<", value: BigInt(cents) },
      sql: `"${balance.name}" < ${(cents / 100).toFixed(2)}`,
      means: (row) => {
        const value = valueOf(row, balance)
        return value !== null && Math.round(Number(value) * 100) < cents
      }
    },
    {
      filter: { _tag: "Compare", column: id.name, operator: ">=", value: BigInt(least) },
      sql: `"${id.name}" >= ${least}`,
      means: (row) => Number(valueOf(row, id)) >= least
    }
  ]
  const [one, other] = [choices[below(3)]!, choices[below(3)]!]
  return below(2) === 0
    ? one
    : {
        filter: { _tag: "Or", filters: [one.filter, other.filter] },
        sql: `${one.sql} OR ${other.sql}`,
        means: (row) => one.means(row) || other.means(row)
      }
}

/** Equal for rows of one partition. */
export const partitionOf = (world: World, row: Row): string =>
  JSON.stringify(
    world.by.map((by) =>
      by === "country" ? valueOf(row, column(world, countryKey)) : Math.floor(Number(row.get(idKey)) / 10)
    )
  )
