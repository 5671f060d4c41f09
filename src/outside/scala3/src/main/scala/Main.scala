import java.util.Locale
import org.toydiff.{Blas, Tensor, TensorArena}
import org.toydiff.nn.{Functional, Linear}
import org.toydiff.optim.SGD
import scala.util.Using

/** Fits `1 + 2a + 3b` and predicts it at (2, 2). */
object Main:
  def main(arguments: Array[String]): Unit = Using.resource(TensorArena.ofConfined()): _ =>
    val x = Tensor.of(Array(Array(0f, 0f), Array(1f, 0f), Array(0f, 1f), Array(1f, 1f)))
    val y = Tensor.ones(4, 1).add(Tensor.of(Array(0f, 2f, 3f, 5f), 4L, 1L))
    val line = Linear(2, 1)
    val optimizer = SGD(line.parameters(), 0.5)
    for _ <- 1 to 500 do
      optimizer.zeroGradients()
      Functional.mseLoss(line.forward(x), y).backward()
      optimizer.step()
    val prediction = line.forward(Tensor.of(2f, 2f)).item()
    println("predicted %.2f by %s".formatLocal(Locale.ROOT, prediction, Blas.version()))
