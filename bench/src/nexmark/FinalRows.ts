/**
 * What is left of a topic of results when all of it was read: every row, or the last one of each key.
 *
 * A result with `deleted: true` takes the row of its key away, as a changelog's deletion does.
 */
type Row = Readonly<Record<string, unknown>>

export interface FinalRows {
  /** The next record of the topic, JSON. */
  readonly add: (value: string) => void
  /** The rows as JSON, in the order in which their last records came. */
  readonly take: () => ReadonlyArray<string>
}

export const makeFinalRows = (key: ReadonlyArray<string> | undefined): FinalRows => {
  if (key === undefined) {
    const rows: Array<string> = []
    return { add: (value) => void rows.push(value), take: () => rows }
  }
  const rows = new Map<string, string>()
  return {
    add: (value) => {
      const row = JSON.parse(value) as Row // written by the topic's contract
      const name = JSON.stringify(key.map((field) => row[field]))
      rows.delete(name)
      if (row["deleted"] !== true) rows.set(name, value)
    },
    take: () => [...rows.values()]
  }
}
