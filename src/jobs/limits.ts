/** Bounds of a queue; each is refused with its own error before anything is written. */
export interface QueueLimits {
  /** Jobs that wait; one more is E_QUEUE_FULL. */
  readonly queued: number;
  /** Jobs on record, finished ones until they expire; one more is E_QUEUE_FULL. */
  readonly stored: number;
  /** Jobs of one tenant that wait; one more is E_QUOTA. */
  readonly tenantQueued: number;
  /** Jobs of one tenant that run at a time; more wait, and let those of others pass. */
  readonly tenantRunning: number;
  /** Bytes of all inputs and results together; more is E_QUEUE_FULL. */
  readonly blobBytes: number;
  /** Bytes the disk must have free for a new job, else E_DISK_FULL: what is accepted needs room to finish. */
  readonly reserve: number;
}

/** What a queue bears when nothing else is said. */
export const QUEUE_LIMITS: QueueLimits = {
  queued: 100_000,
  stored: 1_000_000,
  tenantQueued: Number.POSITIVE_INFINITY,
  tenantRunning: Number.POSITIVE_INFINITY,
  blobBytes: 10 * 2 ** 30,
  reserve: 64 * 2 ** 20,
};
