/**
 * A notebook file, as far as its check needs it: cells, their sources and what they put out.
 *
 * `format` writes it as it is kept in git: without the times of a run, which would differ each time.
 */
import { Schema } from "effect"

/** nbformat writes a text as a list of its lines. */
const Text = Schema.Union([Schema.String, Schema.Array(Schema.String)])

const Output = Schema.Struct({
  output_type: Schema.String,
  data: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})

const Cell = Schema.Struct({
  cell_type: Schema.Literals(["markdown", "code", "raw"]),
  execution_count: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  outputs: Schema.optionalKey(Schema.Array(Output))
})

const NotebookFile = Schema.Struct({ cells: Schema.Array(Cell) })

export type Notebook = typeof NotebookFile.Type

export const parseNotebook = Schema.decodeUnknownSync(Schema.fromJsonString(NotebookFile))

const plainText = (text: typeof Text.Type): string => (typeof text === "string" ? text : text.join(""))

/** Everything of one kind (`text/plain`, `image/svg+xml`) that the cells put out, in their order. */
export const outputsOf = (notebook: Notebook, kind: string): ReadonlyArray<string> =>
  notebook.cells
    .flatMap(({ outputs }) => outputs ?? [])
    .flatMap(({ data }) => {
      const found = data?.[kind]
      return found === undefined ? [] : [plainText(Schema.decodeUnknownSync(Text)(found))]
    })

/** How many outputs each cell has. */
export const outputCounts = (notebook: Notebook): ReadonlyArray<number> =>
  notebook.cells.map(({ outputs }) => outputs?.length ?? 0)

/** The same file without what differs from run to run and says nothing: when its cells ran, and the kernel's version. */
export const format = (json: string): string => {
  // checked by parseNotebook; kept whole, since a notebook holds more than the check looks at
  const file = JSON.parse(json) as {
    readonly cells: Array<{ metadata: { execution?: unknown } }>
    readonly metadata: { readonly language_info?: { version?: unknown } }
  }
  for (const { metadata } of file.cells) delete metadata.execution
  delete file.metadata.language_info?.version
  return `${JSON.stringify(file, null, 1)}\n`
}
