/// Programs that train with toydiff; they see the packages that it exports, as any other program does.
module org.toydiff.examples {
    requires java.management;
    requires jdk.management;
    requires org.toydiff;
    requires info.picocli;

    // Options are private fields.
    opens org.toydiff.examples to
            info.picocli;
}
