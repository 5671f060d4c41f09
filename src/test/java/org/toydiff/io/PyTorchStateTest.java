package org.toydiff.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.toydiff.io.FilesOfPython.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.toydiff.ArenaTest;
import org.toydiff.DType;
import org.toydiff.Tensor;
import org.toydiff.nn.BatchNorm1d;
import org.toydiff.nn.Conv1d;
import org.toydiff.nn.Conv2d;
import org.toydiff.nn.ConvTranspose2d;
import org.toydiff.nn.Flatten;
import org.toydiff.nn.Linear;
import org.toydiff.nn.ReLU;
import org.toydiff.nn.Sequential;
import org.toydiff.nn.TransformerEncoderLayer;

/// A network's state that PyTorch saved, loaded, and saved again.
class PyTorchStateTest extends ArenaTest {
    @TempDir
    private Path folder;

    private static Sequential loaded() throws IOException {
        var net = new Sequential(new Linear(3, 4), new BatchNorm1d(4), new ReLU(), new Linear(4, 2));
        try (var saved = SafeTensors.open(file("network.safetensors"))) {
            net.loadStateDict(saved.toMap());
        }
        net.eval();
        return net;
    }

    @Test
    void theLoadedNetworkComputesWhatPyTorchComputes() throws IOException {
        Sequential net = loaded();
        assertEquals(2, net.namedBuffers().get("1.num_batches_tracked").item());
        try (var output = SafeTensors.open(file("network-output.safetensors"))) {
            float[] y = net.forward(output.get("x")).toFloatArray();
            assertArrayEquals(output.get("y").toFloatArray(), y, 1e-6f);
        }
    }

    @Test
    void loadedConvolutionsComputeWhatPyTorchComputes() throws IOException {
        var net = new Sequential(
                new Conv2d(DType.FLOAT32, 2, 4, new long[] {3, 3}, 2, true)
                        .stride(2)
                        .padding(1),
                new ReLU(),
                new ConvTranspose2d(DType.FLOAT32, 4, 2, new long[] {2, 3}, 1, true),
                new Flatten(2, -1),
                new Conv1d(DType.FLOAT32, 2, 1, 3, 1, false).samePadding().paddingMode(Tensor.Padding.CIRCULAR));
        try (var saved = SafeTensors.open(file("convolutions.safetensors"));
                var output = SafeTensors.open(file("convolutions-output.safetensors"))) {
            net.loadStateDict(saved.toMap());
            float[] y = net.forward(output.get("x")).toFloatArray();
            assertArrayEquals(output.get("y").toFloatArray(), y, 1e-6f);
        }
    }

    @Test
    void theSameStateIsTheSameFileAsPyTorchs() throws IOException {
        Path mine = folder.resolve("network.safetensors");
        SafeTensors.save(mine, loaded().stateDict());
        assertArrayEquals(FilesOfPython.bytes("network.safetensors"), Files.readAllBytes(mine));
    }

    @Test
    void itIsLoadedInPartIntoAnotherNetwork() throws IOException {
        var other = new Sequential(new Linear(3, 4), new BatchNorm1d(4));
        try (var saved = SafeTensors.open(file("network.safetensors"))) {
            var keys = other.loadMatching(saved.toMap());
            assertTrue(keys.missing().isEmpty());
            assertEquals(Set.of("3.weight", "3.bias"), Set.copyOf(keys.unexpected()));
        }
    }

    @Test
    void theStateOfATransformersLayerLoadsUnderPyTorchsNames() throws IOException {
        var layer = new TransformerEncoderLayer(4, 2, 3, 0.1, true, false);
        try (var saved = SafeTensors.open(file("encoder.safetensors"));
                var output = SafeTensors.open(file("encoder-output.safetensors"))) {
            layer.loadStateDict(saved.toMap());
            layer.eval();
            float[] y = layer.forward(output.get("x"), null, null, true).toFloatArray();
            assertArrayEquals(output.get("y").toFloatArray(), y, 1e-6f);
        }
        Path mine = folder.resolve("encoder.safetensors");
        SafeTensors.save(mine, layer.stateDict());
        assertArrayEquals(FilesOfPython.bytes("encoder.safetensors"), Files.readAllBytes(mine));
    }
}
