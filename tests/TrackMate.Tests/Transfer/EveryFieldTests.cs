using System.Reflection;
using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store.Tables;
using TrackMate.Tests.Running;
using TrackMate.Tests.Store;
using TrackMate.Transfer;

namespace TrackMate.Tests.Transfer;

/// <summary>A field of a message that is forgotten somewhere on its way (the row, COPY, an export, an import, the answer of the API) is named here.</summary>
public sealed class EveryFieldTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    /// <summary>Which field of the answer shows each column; null where it is a number of the store's own.</summary>
    private static readonly Dictionary<string, string?> ShownAs = new(StringComparer.Ordinal)
    {
        ["id"] = null,
        ["company"] = null,
        ["origin"] = "source",
        ["event_id"] = "eventId",
        ["session"] = "sessionId",
        ["identifier"] = "userId",
        ["named"] = "binding",
        ["at"] = "timestamp",
        ["received_ms"] = "receivedAt",
        ["type"] = "eventType",
        ["data"] = "eventData",
        ["context"] = "context",
        ["agent"] = "agent",
    };

    /// <summary>Properties that are of the company, follow from others, or are only counted.</summary>
    private static readonly HashSet<string> NotSent = [nameof(Message.Company), nameof(Message.SessionGoesTo), nameof(Identify.WithoutToken)];

    private static string[] Columns { get; } = MessageTable.Columns.Split(", ");

    /// <summary>Messages which together give every property of theirs a value, and every column.</summary>
    private static List<Message> Sent(Company company) =>
    [
        Messages.Browser(company, "s", "browser", data: """{"page":"/shoes"}""") with
        {
            Order = EventOrder.Of(Messages.Ten, Origin.Browser, index: 3),
            ReceivedAt = Messages.Ten + 5,
            Context = """{"utm":{"source":"news"}}"""u8.ToArray(),
            Agent = new("Chrome", "Windows", "desktop", Bot: true),
        },
        Messages.Webhook(company, "sarah@example.com", "webhook", at: Messages.Ten + 1, data: """{"carrier":"DHL"}""", session: "s") with
        {
            Named = [Identifier.Email(company, "sarah@example.com"), Identifier.External(company, "42")],
        },
        Messages.Webhook(company, "", "bound by its session", at: Messages.Ten + 2, session: "s") with { Named = [] },
        Messages.Identify(company, "s", "sarah@example.com", "identify", at: Messages.Ten + 3) with { Trust = Trust.Verified, Said = """{"traits":{"name":"Sarah"}}"""u8.ToArray() },
    ];

    [Fact]
    public void The_definition_of_message_has_every_column_of_the_table()
    {
        using var database = stored.OpenBeside();
        using var rows = database.Use(StoreUnderTest.IsPostgres
            ? "SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'message'"
            : "SELECT name FROM pragma_table_info('message')");
        var found = new List<string>();
        while (rows.Next()) found.Add(rows.Text(0));
        foreach (var column in found.Except(Columns)) Assert.Fail($"MessageTable does not name the column {column} of the table message.");
        foreach (var column in Columns.Except(found)) Assert.Fail($"The table message has no column {column}.");

        var places = typeof(MessageTable.Place).GetFields().ToDictionary(field => (int)field.GetRawConstantValue()!, field => field.Name.ToUpperInvariant());
        Assert.Equal(Columns.Select(column => column.Replace("received_ms", "received_at").Replace("_", "").ToUpperInvariant()), Enumerable.Range(0, places.Count).Select(places.GetValueOrDefault));
    }

    [Fact]
    public async Task Every_column_comes_back_from_an_export()
    {
        var (company, other) = await ExportAndImport();
        foreach (var column in Columns.Except(["id", "company"]))
        {
            var before = ValuesOf(column, company);
            Assert.True(before.Exists(row => row.Value is not null), $"No message of this test has a value in the column {column} of the table message: give it one in {nameof(Sent)}, and let MessageTable.Write write it.");
            Assert.True(before.SequenceEqual(ValuesOf(column, other)), $"The column {column} of the table message is lost or changed between an export and its import: see MessageTable.Read, MessageRow.ToMessage, ExportLines and ImportLine.");
        }
    }

    [Fact]
    public async Task Every_property_of_a_message_comes_back_from_an_export()
    {
        var sent = Sent(Messages.Company(stored.NextCompany()));
        var lines = new List<Message>();
        await ExportAndImport(sent, lines);
        foreach (var property in new[] { typeof(TrackedEvent), typeof(Identify) }.SelectMany(type => type.GetProperties()).Where(property => !NotSent.Contains(property.Name)).DistinctBy(property => (property.DeclaringType, property.Name)))
        {
            var ofThat = sent.Where(property.DeclaringType!.IsInstanceOfType).ToList();
            Assert.True(ofThat.Exists(message => TextOf(property, message).Length > 0), $"No message of this test has a {property.Name}: give it one in {nameof(Sent)}.");
            foreach (var message in ofThat)
            {
                Assert.True(
                    TextOf(property, message) == TextOf(property, lines.Single(line => line.EventId == message.EventId)),
                    $"{property.Name} of a message is lost or changed on its way through the store and an export: see MessageTable, MessageRow.ToMessage, ExportLines and ImportLine.");
            }
        }
    }

    [Fact]
    public async Task The_api_shows_every_column_of_an_event()
    {
        foreach (var column in Columns.Where(column => !ShownAs.ContainsKey(column)))
            Assert.Fail($"Which field of the API shows the column {column} of the table message? Say so in {nameof(ShownAs)}, null where none does.");
        var (company, _) = await ExportAndImport();
        using var snapshot = stored.Store.Read();
        var documents = new Documents(snapshot.Database, company);
        var events = StoredView.Timeline(documents, company, Identifier.Email(company, "sarah@example.com").Id.ToString(), new(), new Random(1));
        var shown = events.Select(one => JsonSerializer.SerializeToElement(one, Shown.Json.TimelineEvent)).ToList();
        foreach (var field in ShownAs.Values.OfType<string>())
            Assert.True(shown.Exists(one => one.TryGetProperty(field, out var value) && value.ValueKind is not JsonValueKind.Null), $"No event of the timeline has the field {field}: see StoredEvent.Of and Documents.EventOf.");
    }

    private Task<(Company, Company)> ExportAndImport() => ExportAndImport(Sent(Messages.Company(stored.NextCompany())), []);

    private async Task<(Company Company, Company Other)> ExportAndImport(List<Message> sent, List<Message> lines)
    {
        var (company, other) = (sent[0].Company, Messages.Company(stored.NextCompany()));
        await stored.Store.AppendAsync(sent);
        using var file = new MemoryStream();
        await new Export(company, Messages.Ten, stored.Store).WriteAllAsync(file, withSecret: false, CancellationToken.None);
        foreach (var line in Encoding.UTF8.GetString(file.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            if (ImportLine.Read(Encoding.UTF8.GetBytes(line), other).Message is { } message) lines.Add(message);
        }

        await stored.Store.AppendAsync(lines);
        return (company, other);
    }

    private List<(string EventId, string? Value)> ValuesOf(string column, Company company)
    {
        var value = column switch
        {
            "session" => "(SELECT s.session_id FROM session s WHERE s.company = m.company AND s.id = m.session)",
            "identifier" => "(SELECT i.value FROM identifier i WHERE i.company = m.company AND i.id = m.identifier)",
            _ => "m." + column,
        };
        using var database = stored.OpenBeside();
        return database.Use($"SELECT m.event_id, CAST({value} AS text) FROM message m WHERE m.company = ? ORDER BY m.event_id")
            .With(company.Number).DeferAll(row => (row.Text(0), row.TextOrNull(1))).Value;
    }

    /// <summary>What a property holds; empty for nothing.</summary>
    private static string TextOf(PropertyInfo property, Message message) => property.GetValue(message) switch
    {
        null => "",
        ReadOnlyMemory<byte> json => Encoding.UTF8.GetString(json.Span),
        IEnumerable<Identifier> named => string.Join(", ", named.Select(identifier => $"{identifier.Kind} {identifier.Value}")),
        IEnumerable<Trait> traits => string.Join(", ", traits),
        var value => value.ToString()!,
    };
}
