import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Runs a file of Flink SQL in this process and prints the results of its SELECTs: a row per line, cells separated by tabs. */
public class Run {
  public static void main(String[] args) throws Exception {
    if (args.length != 3) {
      System.err.println("usage: java Run.java FILE.sql BROKERS REGISTRY");
      System.exit(2);
    }
    String text =
        Files.readAllLines(Path.of(args[0])).stream()
            .filter(line -> !line.startsWith("--"))
            .collect(Collectors.joining("\n"))
            .replace("${brokers}", args[1])
            .replace("${registry}", args[2]);
    TableEnvironment flink = TableEnvironment.create(EnvironmentSettings.newInstance().inBatchMode().build());
    flink.getConfig().set("parallelism.default", "2").set("table.local-time-zone", "UTC");
    for (String statement : text.split(";")) {
      if (statement.isBlank()) continue;
      TableResult result = flink.executeSql(statement);
      if (!statement.stripLeading().startsWith("SELECT")) continue;
      System.out.println("# " + String.join("\t", result.getResolvedSchema().getColumnNames()));
      try (CloseableIterator<Row> rows = result.collect()) {
        while (rows.hasNext()) {
          Row row = rows.next();
          Object[] cells = new Object[row.getArity()];
          Arrays.setAll(cells, row::getField);
          System.out.println(Arrays.stream(cells).map(String::valueOf).collect(Collectors.joining("\t")));
        }
      }
    }
  }
}
