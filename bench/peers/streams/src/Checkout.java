import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The checkout on Kafka Streams with exactly_once_v2 and two threads: validate, pay, reserve, dispatch, notify, deliver,
 * each with a RocksDB store of what it has seen, connected by the same messages on topics. It is easier than the real job:
 * each task has its own stock, the gateway answers at once and in the process, and there is no timeline, no log of
 * movements, no retry and no refund.
 */
public final class Checkout {
  private static final int STOCK = 1_000_000_000;
  private static final AtomicLong FIRST = new AtomicLong();
  private static final AtomicLong LAST = new AtomicLong();
  private static final AtomicInteger ENDED = new AtomicInteger();
  private static final CountDownLatch DONE = new CountDownLatch(1);
  private static long[] latencies;

  private Checkout() {}

  /** Arguments: brokers, topic of orders.created, group, folder, orders, users, items, folder of schemas. */
  public static void main(String[] args) throws Exception {
    String prefix = args[2];
    latencies = new long[Integer.parseInt(args[4])];
    Path schemas = Path.of(args[7]);
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, args[2]);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    config.put(StreamsConfig.STATE_DIR_CONFIG, args[3]);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");

    Topology topology = new Topology();
    Steps steps = new Steps(topology, schemas, prefix, Integer.parseInt(args[5]));
    steps.add("validation", args[1], "orders.created", List.of("orders.validated", "orders.rejected"), steps::validate);
    steps.add("payment", "orders.validated", List.of("payments.processed", "payments.failed"), steps::pay);
    steps.add("inventory", "payments.processed", List.of("inventory.reserved", "shipments.created"), steps::reserve);
    steps.add("warehouse", "shipments.created", List.of("shipments.dispatched"), steps::dispatch);
    for (String step : List.of("payments.processed", "shipments.created", "shipments.dispatched")) {
      steps.add("notification-" + step, step, List.of("notifications.outbound"), (one) -> steps.tell(one, step));
    }
    steps.add("delivery", "notifications.outbound", List.of(), (one) -> {});

    KafkaStreams streams = new KafkaStreams(topology, config);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.RUNNING) System.out.println("running");
    });
    streams.start();
    DONE.await();
    Arrays.sort(latencies);
    System.out.println(
        "{\"first\":" + FIRST + ",\"last\":" + LAST + ",\"count\":" + ENDED
            + ",\"p50\":" + latencies[latencies.length / 2]
            + ",\"p99\":" + latencies[(int) (latencies.length * 0.99)] + "}");
    streams.close();
  }

  private static void ended(Record<String, byte[]> record) {
    long now = System.currentTimeMillis();
    int before = ENDED.getAndIncrement();
    if (before >= latencies.length) return;
    // Records keep the timestamp of the order that led to them.
    latencies[before] = now - record.timestamp();
    if (before + 1 < latencies.length) return;
    LAST.set(now);
    DONE.countDown();
  }

  /** A message while it is handled. */
  private record One(
      Record<String, byte[]> record,
      GenericRecord message,
      ProcessorContext<String, byte[]> context,
      KeyValueStore<String, Integer> stock) {}

  private interface Handler {
    void handle(One one);
  }

  private static final class Steps {
    private final Topology topology;
    private final Path schemas;
    private final String prefix;
    private final int users;
    private final java.util.Map<String, Schema> known = new java.util.concurrent.ConcurrentHashMap<>();
    private final java.util.Set<String> sources = new java.util.HashSet<>();

    Steps(Topology topology, Path schemas, String prefix, int users) {
      this.topology = topology;
      this.schemas = schemas;
      this.prefix = prefix;
      this.users = users;
    }

    void add(String name, String message, List<String> sends, Handler handler) {
      add(name, prefix + "." + message, message, sends, handler);
    }

    void add(String name, String topic, String message, List<String> sends, Handler handler) {
      if (sources.add(message)) {
        topology.addSource(message, Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), topic);
      }
      topology.addProcessor(name, () -> new Step(name, schema(message), handler), message);
      for (String store : List.of(name + "-seen", name + "-stock")) {
        if (store.endsWith("-stock") && !name.equals("inventory")) continue;
        topology.addStateStore(
            Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(store), Serdes.String(), Serdes.Integer()), name);
      }
      for (String sent : sends) {
        topology.addSink(
            name + ">" + sent, prefix + "." + sent, Serdes.String().serializer(), Serdes.ByteArray().serializer(), name);
      }
    }

    private Schema schema(String message) {
      return known.computeIfAbsent(message, (name) -> {
        try {
          return new Schema.Parser().parse(Files.readString(schemas.resolve(name + ".avsc")));
        } catch (IOException error) {
          throw new UncheckedIOException(error);
        }
      });
    }

    void validate(One one) {
      FIRST.compareAndSet(0, System.currentTimeMillis());
      String user = text(one, "customer_id");
      boolean isKnown = user.equals("bob") || (user.startsWith("u") && Integer.parseInt(user.substring(1)) < users);
      BigInteger sum = BigInteger.ZERO;
      for (GenericRecord line : lines(one)) {
        sum = sum.add(money(line.get("unit_price")).multiply(BigInteger.valueOf((Integer) line.get("quantity"))));
      }
      if (isKnown && sum.equals(money(one.message().get("total_amount")))) {
        send(one, "validation", "orders.validated", "validated_at", (out) -> {});
        return;
      }
      send(one, "validation", "orders.rejected", "rejected_at", (out) -> {
        out.put("reason", isKnown ? "total_mismatch" : "unknown_user");
        out.put("detail", "it is not as it should be");
      });
      ended(one.record());
    }

    void pay(One one) {
      Object amount = one.message().get("total_amount");
      if (!text(one, "customer_id").equals("bob")) {
        send(one, "payment", "payments.processed", "processed_at", (out) -> {
          out.put("amount", amount);
          out.put("reference", "local-" + text(one, "order_id"));
          out.put("attempts", 1);
        });
        return;
      }
      send(one, "payment", "payments.failed", "failed_at", (out) -> {
        out.put("amount", amount);
        out.put("reason", "unpaid");
        out.put("attempts", 1);
      });
      ended(one.record());
    }

    void reserve(One one) {
      for (GenericRecord line : lines(one)) {
        String item = line.get("product_id").toString();
        Integer quantity = (Integer) line.get("quantity");
        Integer onHand = one.stock().get(item);
        int left = (onHand == null ? STOCK : onHand) - quantity;
        one.stock().put(item, left);
        send(one, "inventory", "inventory.reserved", "reserved_at", (out) -> {
          out.put("product_id", item);
          out.put("quantity", (long) quantity);
          out.put("on_hand", (long) left);
          out.put("revision", (long) (STOCK - left));
        });
      }
      send(one, "inventory", "shipments.created", "created_at", (out) -> {});
    }

    void dispatch(One one) {
      send(one, "warehouse", "shipments.dispatched", "dispatched_at", (out) -> {
        out.put("carrier", "own");
        out.put("tracking_number", "OWN-" + text(one, "order_id"));
      });
      ended(one.record());
    }

    void tell(One one, String step) {
      String id = text(one, "order_id");
      send(one, "notification-" + step, "notifications.outbound", "at", (out) -> {
        out.put("notification_id", id + "/" + step);
        Schema channel = out.getSchema().getField("channel").schema();
        out.put("channel", new GenericData.EnumSymbol(channel, "log"));
        out.put("subject", "Order " + id);
        out.put("body", "Order " + id + " has come to " + step + ".");
        out.put("cause", step);
      });
    }

    private interface Filling {
      void fill(GenericRecord out);
    }

    /** Sends a message with the fields that it shares with the current one, and others. */
    private void send(One one, String from, String message, String timeField, Filling filling) {
      Schema schema = schema(message);
      GenericRecord out = new GenericData.Record(schema);
      for (Schema.Field field : schema.getFields()) {
        if (one.message().getSchema().getField(field.name()) == null) continue;
        Object value = one.message().get(field.name());
        out.put(field.name(), field.name().equals("items") ? linesOf(field.schema(), lines(one)) : value);
      }
      out.put(timeField, System.currentTimeMillis());
      filling.fill(out);
      Object key = out.get(message.equals("inventory.reserved") ? "product_id" : message.equals("notifications.outbound") ? "customer_id" : "order_id");
      one.context().forward(new Record<>(key.toString(), encode(schema, out), one.record().timestamp()), from + ">" + message);
    }

    private static List<GenericRecord> linesOf(Schema array, List<GenericRecord> lines) {
      List<GenericRecord> copies = new ArrayList<>(lines.size());
      for (GenericRecord line : lines) {
        GenericRecord copy = new GenericData.Record(array.getElementType());
        for (Schema.Field field : array.getElementType().getFields()) copy.put(field.name(), line.get(field.name()));
        copies.add(copy);
      }
      return copies;
    }

    private static String text(One one, String field) {
      return one.message().get(field).toString();
    }

    @SuppressWarnings("unchecked")
    private static List<GenericRecord> lines(One one) {
      return (List<GenericRecord>) one.message().get("items");
    }

    private static BigInteger money(Object value) {
      ByteBuffer bytes = ((ByteBuffer) value).duplicate();
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      return new BigInteger(copy);
    }

    private static byte[] encode(Schema schema, GenericRecord value) {
      try {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        bytes.write(new byte[5]);
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        new GenericDatumWriter<GenericRecord>(schema).write(value, encoder);
        encoder.flush();
        return bytes.toByteArray();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }

  private static final class Step implements Processor<String, byte[], String, byte[]> {
    private final String name;
    private final GenericDatumReader<GenericRecord> reader;
    private final String id;
    private final Handler handler;
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, Integer> seen;
    private KeyValueStore<String, Integer> stock;

    Step(String name, Schema schema, Handler handler) {
      this.name = name;
      this.reader = new GenericDatumReader<>(schema);
      this.id = schema.getField("notification_id") == null ? "order_id" : "notification_id";
      this.handler = handler;
    }

    @Override
    public void init(ProcessorContext<String, byte[]> given) {
      context = given;
      seen = given.getStateStore(name + "-seen");
      stock = name.equals("inventory") ? given.getStateStore(name + "-stock") : null;
    }

    @Override
    public void process(Record<String, byte[]> record) {
      GenericRecord message;
      try {
        byte[] value = record.value();
        message = reader.read(null, DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null));
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      if (seen.putIfAbsent(message.get(id).toString(), 1) != null) return;
      handler.handle(new One(record, message, context, stock));
    }
  }
}
