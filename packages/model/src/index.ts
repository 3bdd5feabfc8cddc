export { RawTransaction, RawTransactions } from "./RawTransaction.ts"
export {
  DeadLetter,
  DeadLetters,
  type FailedRecord,
  makeDeadLetter,
  originalBytesKept,
  originalBytesMax
} from "./DeadLetter.ts"
