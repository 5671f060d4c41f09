/// The static memory plan of a compiled function: where blocks whose lifetimes are known lie in one stretch of
/// memory. Nothing here knows tensors.
package org.toydiff.internal.plan;
