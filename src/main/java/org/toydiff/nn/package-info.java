/// Layers, losses and initializers, made of the public API of `org.toydiff` alone.
///
/// Parameters live in the arena that was innermost when the layer was made, and layers may be used by
/// whatever threads that arena allows. Shapes, lifetimes and threads are checked by the ops underneath.
///
/// **Dtype** Layers with parameters are FLOAT32, or FLOAT64 where the constructor is given that dtype first; the others
/// return the dtype of their input. A layer keeps its dtype: it and its optimizer hold the parameters themselves. So a
/// model changes dtype by its state:
/// ```java
/// var wide = new Linear(DType.FLOAT64, 4, 3);
/// Map<String, Tensor> state = narrow.stateDict();
/// state.replaceAll((name, tensor) -> tensor.dtype().isFloating() ? tensor.cast(DType.FLOAT64) : tensor);
/// wide.loadStateDict(state);
/// ```
package org.toydiff.nn;
