/** Spends its CPU 60 : 30 : 10 in three methods, by fixed iteration counts. */
public final class Split {
    private static long sink;

    private static void spin(int rounds) {
        long x = sink;
        for (int i = 0; i < rounds; i++) {
            x = x * 6364136223846793005L + 1442695040888963407L;
        }
        sink = x;
    }

    private static void sortRows() {
        spin(6000);
        sink++;
    }

    private static void hashRows() {
        spin(3000);
        sink++;
    }

    private static void writeRows() {
        spin(1000);
        sink++;
    }

    private static void runQuery() {
        sortRows();
        hashRows();
        writeRows();
        sink++;
    }

    public static void main(String[] arguments) {
        long end = System.nanoTime() + (long) (1e9 * Double.parseDouble(arguments[0]));
        while (System.nanoTime() < end) {
            runQuery();
        }
    }
}
