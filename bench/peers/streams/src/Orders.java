import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Orders processed by Kafka Streams with exactly_once_v2 and two threads: ids seen and stock in RocksDB stores with
 * changelogs, accepted orders to a topic. Each task has its own stock, because orders are partitioned by their id:
 * easier than the real job, where all share one stock.
 */
public final class Orders {
  private static final AtomicLong FIRST = new AtomicLong();
  private static final AtomicLong LAST = new AtomicLong();
  private static final AtomicLong HANDLED = new AtomicLong();

  private Orders() {}

  public static void main(String[] args) throws Exception {
    String brokers = args[0];
    String topic = args[1];
    String group = args[2];
    String folder = args[3];
    long count = Long.parseLong(args[4]);
    int users = Integer.parseInt(args[5]);
    Schema schema = new Schema.Parser().parse(Files.readString(Path.of(args[7])));

    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, group);
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    config.put(StreamsConfig.STATE_DIR_CONFIG, folder);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");

    CountDownLatch done = new CountDownLatch(1);
    Topology topology = new Topology();
    topology.addSource("orders", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), topic);
    topology.addProcessor("decide", () -> new Decide(schema, users, count, done), "orders");
    topology.addStateStore(store("seen"), "decide");
    topology.addStateStore(store("stock"), "decide");
    topology.addSink("accepted", topic + ".accepted", Serdes.String().serializer(), Serdes.String().serializer(), "decide");

    KafkaStreams streams = new KafkaStreams(topology, config);
    streams.start();
    done.await();
    System.out.println("{\"first\":" + FIRST + ",\"last\":" + LAST + ",\"count\":" + HANDLED + "}");
    streams.close();
  }

  private static StoreBuilder<KeyValueStore<String, Integer>> store(String name) {
    return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.String(), Serdes.Integer());
  }

  private static final class Decide implements Processor<String, byte[], String, String> {
    private static final int STOCK = 1_000_000_000;
    private final GenericDatumReader<GenericRecord> reader;
    private final int users;
    private final long count;
    private final CountDownLatch done;
    private ProcessorContext<String, String> context;
    private KeyValueStore<String, Integer> seen;
    private KeyValueStore<String, Integer> stock;

    Decide(Schema schema, int users, long count, CountDownLatch done) {
      this.reader = new GenericDatumReader<>(schema);
      this.users = users;
      this.count = count;
      this.done = done;
    }

    @Override
    public void init(ProcessorContext<String, String> given) {
      context = given;
      seen = given.getStateStore("seen");
      stock = given.getStateStore("stock");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      FIRST.compareAndSet(0, System.currentTimeMillis());
      decide(record);
      if (HANDLED.incrementAndGet() == count) {
        LAST.set(System.currentTimeMillis());
        done.countDown();
      }
    }

    private void decide(Record<String, byte[]> record) {
      GenericRecord order;
      try {
        byte[] value = record.value();
        order = reader.read(null, DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null));
      } catch (java.io.IOException error) {
        throw new java.io.UncheckedIOException(error);
      }
      String id = order.get("order_id").toString();
      if (seen.putIfAbsent(id, 1) != null) return;
      String user = order.get("user").toString();
      if (!user.startsWith("u") || Integer.parseInt(user.substring(1)) >= users) return;
      for (Object entry : (List<?>) order.get("items")) {
        GenericRecord line = (GenericRecord) entry;
        String item = line.get("item").toString();
        Integer onHand = stock.get(item);
        stock.put(item, (onHand == null ? STOCK : onHand) - (Integer) line.get("quantity"));
      }
      context.forward(new Record<>(id, "{\"order_id\":\"" + id + "\",\"user\":\"" + user + "\"}", record.timestamp()));
    }
  }
}
