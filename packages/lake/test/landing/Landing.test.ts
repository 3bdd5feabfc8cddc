/** What a declaration of a landing refuses. */
import { Field, Topic } from "@frazil/core"
import { Schema } from "effect"
import { expect, it } from "vitest"
import { days, Landing } from "../../src/index.ts"

const Visits = Topic.make("visits", {
  schema: Schema.Struct({ id: Field.text(), at: Field.timestamp, birth: Field.personal(Field.timestamp) }),
  key: "id"
})

it("a table is partitioned by nothing personal", () => {
  expect(Landing.make(Visits, { table: "a.visits", partition: [days("at")] }).spec.fields.length).toBe(1)
  expect(() => Landing.make(Visits, { table: "a.visits", partition: [days("birth")] })).toThrow(
    'landing of visits: "birth" is personal: names of folders would show it'
  )
})

it("identifiers land as text: Spark finds no row of a uuid column by text", () => {
  const Keyed = Topic.make("keyed", { schema: Schema.Struct({ id: Field.uuid, at: Field.timestamp }), key: "id" })
  const { fields } = Landing.make(Keyed, { table: "a.keyed", partition: [days("at")] }).schema
  expect(fields.find(({ name }) => name === "id")?.type).toEqual({ _tag: "string" })
})
