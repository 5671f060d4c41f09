import java.util.Locale
import org.toydiff.Blas
import org.toydiff.Tensor
import org.toydiff.TensorArena
import org.toydiff.nn.Functional
import org.toydiff.nn.Linear
import org.toydiff.optim.SGD

/** Fits `1 + 2a + 3b` and predicts it at (2, 2). */
fun main() {
    TensorArena.ofConfined().use {
        val x = Tensor.of(arrayOf(floatArrayOf(0f, 0f), floatArrayOf(1f, 0f), floatArrayOf(0f, 1f), floatArrayOf(1f, 1f)))
        val y = Tensor.ones(4, 1) + Tensor.of(floatArrayOf(0f, 2f, 3f, 5f), 4, 1)
        val line = Linear(2, 1)
        val optimizer = SGD(line.parameters(), 0.5)
        repeat(500) {
            optimizer.zeroGradients()
            Functional.mseLoss(line.forward(x), y).backward()
            optimizer.step()
        }
        val prediction = line.forward(Tensor.of(2f, 2f)).item()
        println("predicted %.2f by %s".format(Locale.ROOT, prediction, Blas.version()))
    }
}

operator fun Tensor.plus(other: Tensor): Tensor = this.add(other)
