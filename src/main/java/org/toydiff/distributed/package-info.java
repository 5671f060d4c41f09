/// Training on several processes and machines, through Open MPI.
///
/// [org.toydiff.distributed.ProcessGroup] is the processes; [org.toydiff.distributed.DataParallel] trains one model
/// with them. Losses, parameters and the optimizer's state have the same bits for any number of processes.
package org.toydiff.distributed;
