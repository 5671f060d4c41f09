module outside {
    requires org.toydiff;
}
