/// Programs that train and serve with toydiff. Like any other program, they see only the packages that it exports.
module org.toydiff.examples {
    requires com.google.gson;
    requires java.management;
    requires java.net.http;
    requires jdk.httpserver;
    requires jdk.jfr;
    requires jdk.management;
    requires org.toydiff;
    requires info.picocli;

    // picocli sets options, which are private fields, and Gson makes records, which are not public.
    opens org.toydiff.examples to
            com.google.gson,
            info.picocli;
}
