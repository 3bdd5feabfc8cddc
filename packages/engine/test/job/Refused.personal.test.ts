/** What is personal where it is read is so where it is written, or the job is refused; and a table of all that is refused. */
import { existsSync, readFileSync } from "node:fs"
import { Field, Topic } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Data, Result, Schema } from "effect"
import { first, Flow, Job, Window } from "../../src/index.ts"

class Person extends Schema.Opaque<Person>()(
  Schema.Struct({ id: Field.text(), ssn: Field.personal(Field.text()), at: Field.timestamp })
) {}
class Open extends Schema.Opaque<Open>()(Schema.Struct({ id: Field.text(), ssn: Field.text() })) {}
class Known extends Schema.Opaque<Known>()(Schema.Struct({ id: Field.text() })) {}
class Latest extends Schema.Opaque<Latest>()(Schema.Struct({ id: Field.text(), ssn: Field.optional(Field.text()) })) {}

const People = Topic.make("people", { schema: Person, key: "id", eventTime: "at" })
const Marked = Topic.make("marked", { schema: Person, key: "id" })
const Unmarked = Topic.make("unmarked", { schema: Open, key: "id" })
const people = Flow.from(People)

const refused = (outputs: ReadonlyArray<Flow.Output>): ReadonlyArray<string> => {
  try {
    Job.make("job", outputs)
    return []
  } catch (error) {
    if (error instanceof Job.Refused) return error.problems
    throw error
  }
}
const leaks = (operator: string, topic: string) =>
  `${operator}: field ssn is personal, but ${topic} does not say so, and whoever reads ${topic} would see it; mark it there with Field.personal, or leave it out, or give what you made of it another name`

describe("a personal field", () => {
  it("is refused where a topic that takes it does not mark it: as it is, by a spread, by a window", () => {
    const name = "to(unmarked)@people"
    assert.deepStrictEqual(refused([people.pipe(Flow.to(Unmarked))]), [leaks(name, "unmarked")])
    assert.deepStrictEqual(
      refused([
        people.pipe(
          Flow.map((person) => ({ ...person })),
          Flow.to(Unmarked)
        )
      ]),
      [leaks(name, "unmarked")]
    )
    const window = Window.tumbling("1 minute", { allowedLateness: "0s" })
    assert.deepStrictEqual(
      refused([
        people.pipe(
          Flow.keyBy("id"),
          Flow.window(window, { ssn: first("ssn") }),
          Flow.to(Topic.make("latest", { schema: Latest, key: "id" }))
        )
      ]),
      [leaks("to(latest)@people", "latest")]
    )
  })

  it("is refused in a dead letter of the flow's own making", () => {
    class Odd extends Data.TaggedError("Odd")<{ readonly message: string }> {}
    const failing = people.pipe(
      Flow.mapResult((person: Person): Result.Result<Person, Odd> => Result.fail(new Odd({ message: person.id }))),
      Flow.orDeadLetter(Unmarked, ({ record }) => ({ id: record.id, ssn: record.ssn }))
    )
    assert.deepStrictEqual(refused([failing.pipe(Flow.to(Marked))]), [
      leaks("orDeadLetter(unmarked)@people", "unmarked")
    ])
  })

  it("goes where it is marked, and where it is left out", () => {
    assert.deepStrictEqual(
      refused([
        people.pipe(Flow.to(Marked)),
        people.pipe(Flow.to(Topic.make("known", { schema: Known, key: "id" }))),
        people.pipe(
          Flow.extend({ ssn: () => "redacted" as const }),
          Flow.map(({ id, ssn }) => ({ id, ssn }), { schema: Open }),
          Flow.to(Unmarked)
        )
      ]),
      []
    )
  })
})

describe("the table of refusals", () => {
  it("names tests that are there", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
    const table = readme.slice(readme.indexOf("**Refusals.**"), readme.indexOf("**Protocol.**"))
    const links = [...table.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!)
    assert.isAbove(links.length, 20)
    for (const link of links) assert.isTrue(existsSync(new URL(`../../${link}`, import.meta.url)), link)
  })
})
