/// Programs that train with toydiff. Like any other program, they see only the packages that it exports.
module org.toydiff.examples {
    requires java.management;
    requires jdk.management;
    requires org.toydiff;
    requires info.picocli;

    // picocli sets options, which are private fields.
    opens org.toydiff.examples to
            info.picocli;
}
