/// Training on several processes and machines, through Open MPI. Losses, parameters and the optimizer's state have the
/// same bits for any number of processes.
///
/// | subject | files |
/// |---|---|
/// | the processes and their collectives | [ProcessGroup]: `CheckedGroup` of `SingleProcess` or `MpiProcesses` |
/// | memory that MPI may use after a call has failed; the end of the job | `TransferMemory`, `JobEnd` |
/// | training one model: the calls, and the states that allow them | [DataParallel], `StepState`, `Processes` |
/// | who has which elements, and the memory that takes | `Layout`, [ParallelPlan] |
/// | the order in which the sums of shards are added | `ShardTree` |
/// | gradients of shards, on their way, and summed | `ShardSums`, `GradientExchange`, `SummedGradients` |
/// | one bucket of gradients or parameters | `BucketExchange` |
/// | gradients that are accumulated without communication | `AccumulatedGradients` |
/// | losses, weights, flags and the means of buffers | `StepRecord`, `BufferMeans` |
/// | random numbers of shards | `ShardSeeds` |
/// | synchronized batch normalization | `AllReduce` |
///
/// If you read one, read `GradientExchange`: a step is its methods from top to bottom.
package org.toydiff.distributed;
