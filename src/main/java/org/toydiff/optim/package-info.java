/// Optimizers and learning rate schedules, built on the public API of `org.toydiff` alone.
///
/// | subject | files |
/// |---|---|
/// | base of all optimizers: steps, groups, state dicts | [Optimizer], [ParameterGroup] |
/// | optimizers; each has its formula at the top | [SGD], [LARS], [RMSProp], [Adagrad], [Adadelta] |
/// | Adam and its variants | [Adam], [AdamW], [Adamax], [NAdam], [RAdam], [LAMB] |
/// | settings and state of Adam and its variants | `AdaptiveMoments` |
/// | learning rate by step: formulas, and who applies them | [Schedule], [Scheduler] |
/// | learning rate by a metric | [ReduceOnPlateau] |
/// | gradient clipping, and the check that gradients are finite | [Gradients] |
///
/// An optimizer extends [Optimizer] and overrides `update`, by [org.toydiff.Updates] or by ops and `copyFrom`.
/// [org.toydiff.Updates] checks and launches a step, `internal.launch.UpdateWork` cuts it into parts, and its
/// arithmetic is in `internal.kernels`.
///
/// **Memory** The state of an optimizer (momentum, moments) lives in the arena that is innermost when it is created,
/// or when a setting asks for it: the arena of the parameters, not that of a step. Temporaries of a step are freed
/// before it returns.
package org.toydiff.optim;
