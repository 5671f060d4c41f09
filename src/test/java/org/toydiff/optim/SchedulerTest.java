package org.toydiff.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.toydiff.ArenaTest;
import org.toydiff.Golden;
import org.toydiff.Stateful;
import org.toydiff.Tensor;
import org.toydiff.TensorArena;

/// Learning rates against PyTorch's, by one schedule or several, and resumed to the bit.
class SchedulerTest extends ArenaTest {
    private static final Map<String, Schedule> SCHEDULES = new LinkedHashMap<>();
    private static final Map<String, Schedule[]> CHAINED = new LinkedHashMap<>();
    private static final Map<String, UnaryOperator<ReduceOnPlateau>> PLATEAUS = new LinkedHashMap<>();

    /// The steps of each combination, which receive the metric, in their order.
    private static final Map<String, Function<Optimizer, List<DoubleConsumer>>> CHAINS = new LinkedHashMap<>();

    private static final Map<String, Integer> JOINS =
            Map.of("chainSteps", 20, "chainWarmUp", 5, "chainPlateau", 30, "chainThree", 40);

    static {
        SCHEDULES.put("step", Schedule.step(7, 0.6));
        SCHEDULES.put("cosine", Schedule.cosine(59, 0.02));
        SCHEDULES.put("linear", Schedule.linear(0.1, 1, 20));
        SCHEDULES.put("oneCycle", Schedule.oneCycle(61));
        SCHEDULES.put("warmUp", Schedule.sequential(List.of(Schedule.linear(0.1, 1, 9), Schedule.cosine(51, 0)), 9));
        SCHEDULES.put(
                "sequential",
                Schedule.sequential(
                        List.of(
                                Schedule.linear(0.25, 0.25, 1),
                                Schedule.linear(0.1, 1, 9),
                                Schedule.step(7, 0.6),
                                Schedule.cosine(25, 0.02)),
                        4,
                        15,
                        35));
        SCHEDULES.put("multiStep", Schedule.multiStep(0.3, 5, 9, 9, 40));
        SCHEDULES.put("exponential", Schedule.exponential(0.9));
        SCHEDULES.put("polynomial", Schedule.polynomial(45, 1.7));
        SCHEDULES.put("warmRestarts", Schedule.cosineWarmRestarts(7, 1, 0.02));
        SCHEDULES.put("warmRestartsLonger", Schedule.cosineWarmRestarts(5, 2, 0.02));
        SCHEDULES.put("constant", Schedule.constant(0.25, 11));
        CHAINED.put(
                "chained",
                new Schedule[] {Schedule.linear(0.1, 1, 9), Schedule.step(7, 0.6), Schedule.cosine(70, 0.02)});
        CHAINED.put("chainedInSequence", new Schedule[] {
            Schedule.sequential(List.of(Schedule.linear(0.1, 1, 9), Schedule.step(11, 0.5)), 9), Schedule.step(13, 0.8)
        });
        PLATEAUS.put("plateau", plateau -> plateau);
        PLATEAUS.put("plateauThreshold", plateau -> plateau.threshold(0.1));
        PLATEAUS.put("plateauAbsolute", plateau -> plateau.absoluteThreshold(0.3));
        PLATEAUS.put("plateauCooldown", plateau -> plateau.cooldown(4));
        PLATEAUS.put("plateauMinLr", plateau -> plateau.minLr(0.07));
        PLATEAUS.put("plateauEpsilon", plateau -> plateau.epsilon(0.03));
        PLATEAUS.put(
                "plateauAll",
                plateau ->
                        plateau.absoluteThreshold(0.05).cooldown(2).minLr(0.01).epsilon(0.02));
        CHAINS.put("chainSteps", o -> List.of(by(o, Schedule.step(7, 0.6)), by(o, Schedule.step(11, 0.8))));
        CHAINS.put("chainWarmUp", o -> List.of(by(o, Schedule.linear(0.1, 1, 9)), by(o, Schedule.cosine(70, 0.02))));
        CHAINS.put(
                "chainPlateau", o -> List.of(by(o, Schedule.cosine(70, 0.02)), new ReduceOnPlateau(o, 0.5, 3)::step));
        CHAINS.put(
                "chainThree",
                o -> List.of(
                        by(o, Schedule.step(7, 0.9)),
                        by(o, Schedule.linear(0.1, 1, 20)),
                        new ReduceOnPlateau(o, 0.1, 6)::step));
    }

    private static DoubleConsumer by(Optimizer optimizer, Schedule schedule) {
        var scheduler = new Scheduler(optimizer, schedule);
        return metric -> scheduler.step();
    }

    static Set<String> cases() {
        Set<String> cases = new TreeSet<>(SCHEDULES.keySet());
        cases.addAll(CHAINED.keySet());
        cases.addAll(PLATEAUS.keySet());
        cases.addAll(CHAINS.keySet());
        return cases;
    }

    private static Optimizer sgd(double lr) {
        return new SGD(List.of(Tensor.zeros(1).trackGradient()), lr);
    }

    @TestFactory
    Stream<DynamicTest> everyPathIsPyTorchs() throws IOException {
        return Golden.cases("golden_optim.txt").stream()
                .filter(golden -> cases().contains(golden.name()))
                .map(golden -> dynamicTest(golden.name(), () -> {
                    try (var inner = TensorArena.ofConfined()) {
                        require(golden);
                    }
                }));
    }

    private static void require(Golden.Case golden) {
        String name = golden.name();
        double[] expected = golden.all("out").getFirst().values();
        if (SCHEDULES.containsKey(name)) {
            requireRates(SCHEDULES.get(name), expected);
        } else if (CHAINED.containsKey(name)) {
            requireChained(CHAINED.get(name), expected);
        } else if (PLATEAUS.containsKey(name)) {
            requirePlateau(PLATEAUS.get(name), golden.all("in").getFirst().values(), expected);
        } else {
            requireChain(name, golden.all("in").getFirst().values(), expected);
        }
    }

    private static void requireRates(Schedule schedule, double[] expected) {
        Optimizer optimizer = sgd(0.5);
        var scheduler = new Scheduler(optimizer, schedule);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], optimizer.lr(), 1e-12, "step " + i);
            assertEquals(schedule.rate(0.5, i), optimizer.lr(), "alone, the rate is the schedule's to the bit");
            scheduler.step();
        }
    }

    private static void requireChained(Schedule[] schedules, double[] expected) {
        Optimizer optimizer = sgd(0.5);
        Scheduler scheduler = Scheduler.chained(optimizer, schedules);
        Optimizer other = sgd(0.5);
        List<Scheduler> separate = Stream.of(schedules)
                .map(schedule -> new Scheduler(other, schedule))
                .toList();
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], optimizer.lr(), 1e-12, "step " + i);
            assertEquals(other.lr(), optimizer.lr(), "separate schedulers set the same rates, to the bit");
            scheduler.step();
            separate.forEach(Scheduler::step);
        }
    }

    private static void requirePlateau(UnaryOperator<ReduceOnPlateau> settings, double[] metrics, double[] expected) {
        Optimizer optimizer = sgd(0.5);
        var plateau = settings.apply(new ReduceOnPlateau(optimizer, 0.5, 3));
        for (int i = 0; i < expected.length; i++) {
            plateau.step(metrics[i]);
            assertEquals(expected[i], optimizer.lr(), 1e-12, "step " + i);
        }
    }

    private static void requireChain(String name, double[] metrics, double[] expected) {
        Optimizer optimizer = sgd(0.5);
        List<DoubleConsumer> chain = CHAINS.get(name).apply(optimizer);
        for (int i = 0; i < metrics.length; i++) {
            if (i == JOINS.get(name)) {
                optimizer.addGroup(List.of(Tensor.zeros(1).trackGradient()), 0.3);
            }
            for (int group = 0; group < optimizer.groups().size(); group++) {
                double rate = optimizer.groups().get(group).lr();
                assertEquals(expected[2 * i + group], rate, 1e-12, "step " + i + ", group " + group);
            }
            for (DoubleConsumer step : chain) {
                step.accept(metrics[i]);
            }
        }
    }

    @Test
    void warmUpRisesToTheWholeRate() {
        Schedule schedule = Schedule.warmUp(4, Schedule.constant());
        for (int i = 0; i < 10; i++) {
            assertEquals(2 * Math.min(1, (i + 1) / 4.0), schedule.rate(2, i), 1e-15);
        }
    }

    @Test
    void aSequenceThatDoesNotFitItsMilestonesIsRefused() {
        List<Schedule> two = List.of(Schedule.constant(), Schedule.step(3, 0.5));
        for (long[] milestones : new long[][] {{}, {0}, {-1}, {5, 9}}) {
            assertEquals(
                    "Schedule.sequential: the milestones " + Arrays.toString(milestones)
                            + " do not fit 2 schedules; give the step at which each but the first begins, positive and"
                            + " increasing",
                    assertThrows(IllegalArgumentException.class, () -> Schedule.sequential(two, milestones))
                            .getMessage());
        }
        List<Schedule> three = List.of(Schedule.constant(), Schedule.constant(), Schedule.constant());
        assertThrows(IllegalArgumentException.class, () -> Schedule.sequential(three, 5, 5));
        assertThrows(IllegalArgumentException.class, () -> Schedule.sequential(List.of()));
        assertEquals(
                "Scheduler: chained: there are no schedules; give at least one",
                assertThrows(IllegalArgumentException.class, () -> Scheduler.chained(sgd(1)))
                        .getMessage());
    }

    @Test
    void aRateThatTheProgramSetsIsGoneOnFrom() {
        Optimizer optimizer = sgd(0.5);
        var scheduler = new Scheduler(optimizer, Schedule.step(2, 0.5));
        scheduler.step();
        optimizer.groups().getFirst().lr(0.1);
        scheduler.step();
        assertEquals(0.05, optimizer.lr(), 1e-15);
    }

    @Test
    void aRateOfZeroDoesNotSwallowTheSchedulesBesideIt() {
        for (boolean warmUpFirst : new boolean[] {true, false}) {
            Optimizer optimizer = sgd(0.5);
            Schedule rising = Schedule.linear(0, 1, 4);
            var first = new Scheduler(optimizer, warmUpFirst ? rising : Schedule.step(3, 0.5));
            var second = new Scheduler(optimizer, warmUpFirst ? Schedule.step(3, 0.5) : rising);
            for (int i = 0; i < 8; i++) {
                assertEquals(0.5 * Math.min(i, 4) / 4 * Math.pow(0.5, i / 3), optimizer.lr(), 1e-12, "step " + i);
                first.step();
                second.step();
            }
        }
    }

    @Test
    void aGroupThatJoinsWhereTheScheduleHasEndedKeepsWithIt() {
        Optimizer optimizer = sgd(0.5);
        var scheduler = new Scheduler(optimizer, Schedule.cosine(3, 0.01));
        for (int i = 0; i < 3; i++) {
            scheduler.step();
        }
        ParameterGroup late = optimizer.addGroup(List.of(Tensor.zeros(1).trackGradient()), 0.3);
        scheduler.step();
        assertEquals(0.01, late.lr(), 1e-15);
        assertEquals(0.01, optimizer.lr(), 1e-15);
    }

    @Test
    void aNegativeMetricThatGotWorseIsNotBetter() {
        Optimizer optimizer = sgd(1);
        var plateau = new ReduceOnPlateau(optimizer, 0.5, 0).threshold(0.1);
        plateau.step(-0.9);
        plateau.step(-0.85);
        assertEquals(0.5, optimizer.lr());
        plateau.step(-1);
        assertEquals(0.5, optimizer.lr());
        plateau.step(Double.NaN);
        assertEquals(0.25, optimizer.lr());
    }

    /// A run of schedules, three of them chained, and a plateau over two groups, the second of which is added during
    /// the run.
    private static final class Run {
        final Optimizer optimizer = sgd(0.5);
        final Scheduler first = new Scheduler(optimizer, Schedule.warmUp(5, Schedule.cosine(40, 0.003)));
        final Scheduler second = Scheduler.chained(
                optimizer,
                Schedule.step(6, 0.7),
                Schedule.linear(0, 1, 3),
                Schedule.sequential(List.of(Schedule.constant(), Schedule.cosine(30, 0.001)), 17));
        final ReduceOnPlateau plateau =
                new ReduceOnPlateau(optimizer, 0.7, 1).absoluteThreshold(0.01).cooldown(2);

        void addGroup() {
            optimizer.addGroup(List.of(Tensor.zeros(1).trackGradient()), 0.3);
        }

        void step(int i) {
            first.step();
            second.step();
            if (i % 2 == 0) {
                plateau.step(Math.sin(i));
            }
        }

        List<Double> rates() {
            return optimizer.groups().stream().map(ParameterGroup::lr).toList();
        }

        List<Stateful> parts() {
            return List.of(optimizer, first, second, plateau);
        }
    }

    @Test
    void aRunSavedAtAnyStepGoesOnToTheBit() {
        for (int saved = 12; saved < 30; saved++) {
            var run = new Run();
            var undisturbed = new Run();
            for (int i = 0; i < saved; i++) {
                if (i == 11) {
                    run.addGroup();
                    undisturbed.addGroup();
                }
                run.step(i);
                undisturbed.step(i);
            }
            for (boolean backwards : new boolean[] {false, true}) {
                var resumed = new Run();
                resumed.addGroup();
                for (int part = 0; part < 4; part++) {
                    int k = backwards ? 3 - part : part;
                    resumed.parts().get(k).loadStateDict(run.parts().get(k).stateDict());
                }
                assertEquals(run.rates(), resumed.rates());
                var straight = new Run();
                straight.addGroup();
                for (int part = 0; part < 4; part++) {
                    straight.parts()
                            .get(part)
                            .loadStateDict(undisturbed.parts().get(part).stateDict());
                }
                for (int i = saved; i < 35; i++) {
                    straight.step(i);
                    resumed.step(i);
                    assertEquals(straight.rates(), resumed.rates(), "saved at " + saved + ", step " + i);
                }
            }
            for (int i = saved; i < 35; i++) {
                run.step(i);
                undisturbed.step(i);
                assertEquals(undisturbed.rates(), run.rates(), "saving changes nothing");
            }
        }
    }

    @Test
    void aSchedulerAloneBringsItsRates() {
        Optimizer optimizer = sgd(0.5);
        var scheduler = new Scheduler(optimizer, Schedule.cosine(10, 0));
        for (int i = 0; i < 4; i++) {
            scheduler.step();
        }
        Optimizer other = sgd(0.5);
        new Scheduler(other, Schedule.cosine(10, 0)).loadStateDict(scheduler.stateDict());
        assertEquals(Schedule.cosine(10, 0).rate(0.5, 4), other.lr());
    }

    @Test
    void statesThatCannotBeAreRefusedAsAWhole() {
        Optimizer optimizer = sgd(0.5);
        var scheduler = new Scheduler(optimizer, Schedule.step(3, 0.5));
        var plateau = new ReduceOnPlateau(optimizer, 0.5, 1);
        requireRefused(scheduler, "step", Tensor.of(new long[] {-1}), "Scheduler: step -1.0 is out of range");
        requireRefused(scheduler, "lr", Tensor.of(new double[] {-1}), "Scheduler: lr -1.0 is out of range");
        requireRefused(plateau, "waited", Tensor.of(new long[] {-1}), "ReduceOnPlateau: waited -1.0 is out of range");
        requireRefused(plateau, "cooling", Tensor.of(new long[] {-2}), "ReduceOnPlateau: cooling -2.0 is out of range");
        Map<String, Tensor> ofOne = scheduler.stateDict();
        optimizer.addGroup(List.of(Tensor.zeros(1).trackGradient()), 0.3);
        String message = assertThrows(IllegalArgumentException.class, () -> scheduler.loadStateDict(ofOne))
                .getMessage();
        assertTrue(message.contains("base is [1] float64 and not [2] float64"), message);
    }

    private static void requireRefused(Stateful part, String name, Tensor value, String message) {
        Map<String, Tensor> state = new LinkedHashMap<>(part.stateDict());
        Map<String, double[]> before = new LinkedHashMap<>();
        state.forEach((key, tensor) -> before.put(key, tensor.toDoubleArray()));
        state.put(name, value);
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> part.loadStateDict(state))
                        .getMessage());
        part.stateDict().forEach((key, tensor) -> assertArrayEquals(before.get(key), tensor.toDoubleArray(), key));
    }

    @Test
    void settingsOutOfRangeAreNamed() {
        Optimizer optimizer = sgd(1);
        Map<String, Runnable> wrong = new LinkedHashMap<>();
        wrong.put("factor 1.0", () -> new ReduceOnPlateau(optimizer, 1, 1));
        wrong.put("patience -1.0", () -> new ReduceOnPlateau(optimizer, 0.5, -1));
        var plateau = new ReduceOnPlateau(optimizer, 0.5, 1);
        wrong.put("threshold -1.0", () -> plateau.threshold(-1));
        wrong.put("threshold NaN", () -> plateau.threshold(Double.NaN));
        wrong.put("absoluteThreshold Infinity", () -> plateau.absoluteThreshold(Double.POSITIVE_INFINITY));
        wrong.put("cooldown -1.0", () -> plateau.cooldown(-1));
        wrong.put("minLr NaN", () -> plateau.minLr(Double.NaN));
        wrong.put("epsilon -1.0", () -> plateau.epsilon(-1));
        wrong.forEach((setting, run) -> assertEquals(
                "ReduceOnPlateau: " + setting + " is out of range",
                assertThrows(IllegalArgumentException.class, run::run).getMessage()));
    }

    @Test
    void settingsOfSchedulesOutOfRangeAreNamed() {
        Map<String, Runnable> wrong = new LinkedHashMap<>();
        wrong.put("step: size 0 must be positive", () -> Schedule.step(0, 0.1));
        wrong.put("cosine: steps 0 must be positive", () -> Schedule.cosine(0, 0));
        wrong.put("linear: steps -1 must be positive", () -> Schedule.linear(0, 1, -1));
        wrong.put("warmUp: steps 0 must be positive", () -> Schedule.warmUp(0, Schedule.constant()));
        wrong.put("polynomial: steps 0 must be positive", () -> Schedule.polynomial(0, 1));
        wrong.put("cosineWarmRestarts: steps 0 must be positive", () -> Schedule.cosineWarmRestarts(0, 1, 0));
        wrong.put("cosineWarmRestarts: factor 0 must be positive", () -> Schedule.cosineWarmRestarts(5, 0, 0));
        wrong.put("constant: steps 0 must be positive", () -> Schedule.constant(0.5, 0));
        wrong.put("oneCycle: steps 1 must be 2 or more", () -> Schedule.oneCycle(1));
        wrong.put("oneCycle: steps " + Long.MIN_VALUE + " must be 2 or more", () -> Schedule.oneCycle(Long.MIN_VALUE));
        wrong.forEach((message, run) -> assertEquals(
                "Schedule." + message,
                assertThrows(IllegalArgumentException.class, run::run).getMessage()));
    }

    @Test
    void restartsEndBeyondWhatALongCounts() {
        Schedule schedule = Schedule.cosineWarmRestarts(1, 1_000_000_000, 0);
        // The periods are 1, 10⁹, 10¹⁸ and 10²⁷ steps: the last step of a long is in the fourth.
        long begin = 1_000_000_001_000_000_001L;
        assertEquals(1, schedule.rate(1, begin));
        double share = (Long.MAX_VALUE - begin) / 1e27;
        assertEquals((1 + StrictMath.cos(Math.PI * share)) / 2, schedule.rate(1, Long.MAX_VALUE));
    }
}
