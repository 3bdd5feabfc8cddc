/**
 * What every log must do: run against the embedded log here, and against Kafka with the same tests.
 *
 * A test file calls `logConformance` with a way to make a fresh log. Tests assume nothing that Kafka does not promise:
 * offsets ascend, with gaps; times are those that the log gives.
 */
import { describe } from "@effect/vitest"
import { epochConformance } from "./EpochConformance.ts"
import { epochFaultConformance } from "./EpochFaultConformance.ts"
import type { FreshLog } from "./LogFixture.ts"
import { producerConformance } from "./ProducerConformance.ts"
import { recordConformance } from "./RecordConformance.ts"
import { topicConformance } from "./TopicConformance.ts"

export const logConformance = (name: string, fresh: FreshLog): void => {
  describe(name, () => {
    describe("topics", () => topicConformance(fresh))
    describe("records", () => recordConformance(fresh))
    describe("producers", () => producerConformance(fresh))
    describe("epochs", () => epochConformance(fresh))
    describe("epochs that fail", () => epochFaultConformance(fresh))
  })
}
