/** What a soak calls growth, and what it does not. */
import { assert, describe, it } from "@effect/vitest"
import { judge, type SoakSample } from "../../src/soak/SoakSample.ts"

const mb = 1_048_576
const steady: SoakSample = {
  rssBytes: 200 * mb,
  logBytes: 50 * mb,
  checkpointFiles: 12,
  metadataFiles: 300,
  dataFiles: 60,
  otherFiles: 6
}

/** 90 samples, as a soak of half an hour has them. */
const samples = (change: (sample: SoakSample, index: number) => SoakSample) =>
  Array.from({ length: 90 }, (_, index) => change(steady, index))

const growing = (all: ReadonlyArray<SoakSample>) =>
  judge(all)
    .filter(({ grows }) => grows)
    .map(({ of }) => of)

describe("a soak's samples", () => {
  it("do not grow when they go up and down, warm up, or have a moment of their own", () => {
    const noisy = samples((sample, index) => ({ ...sample, rssBytes: sample.rssBytes + (index % 7) * 5 * mb }))
    assert.deepStrictEqual(growing(noisy), [])
    const warming = samples((sample, index) => ({ ...sample, logBytes: Math.min(index, 29) * mb }))
    assert.deepStrictEqual(growing(warming), [])
    const spike = samples((sample, index) => (index === 80 ? { ...sample, rssBytes: 900 * mb } : sample))
    assert.deepStrictEqual(growing(spike), [])
  })

  it("grow when each is a little more than the one before", () => {
    const leaking = samples((sample, index) => ({ ...sample, rssBytes: sample.rssBytes + index * 2 * mb }))
    assert.deepStrictEqual(growing(leaking), ["rssBytes"])
    const littering = samples((sample, index) => ({ ...sample, checkpointFiles: 12 + index, otherFiles: 6 + index }))
    assert.deepStrictEqual(growing(littering), ["checkpointFiles", "otherFiles"])
    const untrimmed = samples((sample, index) => ({ ...sample, logBytes: (10 + index) * mb }))
    assert.deepStrictEqual(growing(untrimmed), ["logBytes"])
  })
})
