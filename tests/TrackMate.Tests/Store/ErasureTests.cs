using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Erase;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql.Sqlite;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>Erasure: what is left is as if what named the person, and what was on its timeline, had never been sent.</summary>
public sealed class ErasureTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{

    private static readonly ActBy Operator = new("tests", Messages.Ten, DryRun: false);

    [Fact]
    public async Task What_is_left_is_as_if_the_erased_had_never_been_sent() =>
        await Histories.OfSize(24).SampleAsync(async history =>
        {
            var random = new Random(history.Seed);
            var company = History.CompanyOf(stored.NextCompany(), history.Settings);
            history = history with { Messages = [.. history.Messages.Select(WithSaid)] };

            // These come between the steps of an erasure, and are not taken by it.
            var late = new Queue<Message>(history.Stored.Where(message => message is TrackedEvent { Named.Count: 0 }).TakeLast(2));
            history = history with { Messages = [.. history.Messages.Where(message => !late.Any(other => (other.Order.Origin, other.EventId) == (message.Order.Origin, message.EventId)))] };
            var acts = new PlayedActs(stored.Store, company, history);
            foreach (var batch in history.Arrival(order: 1, company).Chunk(5))
            {
                await stored.Store.AppendAsync(batch);
                await acts.DoAsync(2);
                if (random.Next(2) == 0) await stored.Store.IndexAsync(company);
            }

            await acts.DoAsync(int.MaxValue);
            var left = history.Stored.ToList();
            List<OperatorAct> standing = acts.Standing;
            while (true)
            {
                var before = NaiveView.Of(History.CompanyOf(0, history.Settings), left, standing);
                // What is wrong before it is not the erasure's fault.
                View.AssertEqual(before.ToText(), acts.Named(StoredView.Read(stored.Store, company, left, random).ToText()), "Before anybody is erased the view is another:");
                if (before.Profiles.Count == 0) break;
                var erased = before.Profiles[random.Next(before.Profiles.Count)];
                var leaves = erased.Identifiers.Select(identifier => identifier.Id).ToHashSet();
                var events = before.Timelines.Single(timeline => timeline.Profile == erased.Id).Events.Select(shown => (shown.Source, shown.EventId)).ToHashSet();
                var taken = left.Where(message => message.Named.Any(identifier => leaves.Contains(identifier.Id.ToString()))
                    || (message is TrackedEvent && events.Contains((message.Order.Origin is Origin.Browser ? "client" : "server", message.EventId)))).ToList();
                left.RemoveAll(taken.Contains);
                standing = standing.ConvertAll(act => act is OperatorAct.UndoClaims undo ? undo.Without(leaves) : act);
                standing.RemoveAll(act => LeavesOf(act).Any(leaf => leaves.Contains(leaf.ToString())));

                Assert.True(ProfileId.TryParse(random.Next(2) == 0 ? erased.Id : erased.Identifiers[random.Next(erased.Identifiers.Count)].Id, out var id));
                var most = random.Next(2) == 0 ? ErasureWriter.MostInStep : random.Next(1, 4);
                var preview = Preview(company, id);
                var state = (await stored.Store.EraseAsync(company, erasure => erasure.Begin(company, id, Operator, suppress: false, most)))!;
                while (!state.RowsGone)
                {
                    if (late.TryDequeue(out var message))
                    {
                        await stored.Store.AppendAsync([message with { Company = company }]);
                        left.Add(message);
                    }

                    state = (await stored.Store.EraseAsync(company, erasure => erasure.Continue(state, most)))!;
                }

                View.AssertEqual(
                    NaiveView.Of(History.CompanyOf(0, history.Settings), left, standing).ToText(),
                    acts.Named(StoredView.Read(stored.Store, company, left, random).ToText()),
                    $"Without {erased.Id}, in steps of {most}, the view is another:");
                AssertDerivedIsWhatARebuildGives(company, erased.Id);
                Assert.Equal((taken.OfType<TrackedEvent>().Count(), taken.OfType<Identify>().Count()), ((int)preview.Events, (int)preview.Identifies));
                Assert.Equal((preview.Events, preview.Identifies, preview.Sessions), (state.Erased.Events, state.Erased.Identifies, state.Erased.Sessions));
                AssertNothingIsKept(company, left);
                if (random.Next(2) == 0) break;
            }
        }, iter: StoreUnderTest.Histories(160), threads: 2, print: history => history.ToString());

    [Fact]
    public async Task What_was_left_unfinished_is_gone_on_with_at_the_next_start()
    {
        using var folder = new TemporaryFolder();
        ProfileId id;
        using (var registry = StoreUnderTest.In(folder.Path).MakeRegistry(TimeProvider.System))
        using (var store = MessageStore.Open(StoreUnderTest.EngineOf(folder.Path), NullLogger.Instance))
        {
            var company = registry.AddCompany(ServerProcess.CompanyId, "Shop");
            id = Identifier.Email(company, "unfinished@shop.com").Id;
            await store.AppendAsync([Messages.Identify(company, "s", "unfinished@shop.com", "i"), .. Enumerable.Range(0, 20).Select(number => Messages.Browser(company, "s", $"unfinished_{number}"))]);
            Assert.False((await store.EraseAsync(company, erasure => erasure.Begin(company, id, Operator, suppress: false, most: 5)))!.RowsGone);

            // Whoever is being erased is found by nobody, and what comes now is theirs to send again.
            using (var snapshot = store.Read()) Assert.Null(new PersonReader(snapshot.Database).Find(company, id));
            await store.AppendAsync([Messages.Browser(company, "s", "later")]);
        }

        await using var server = await ServerProcess.StartAsync(folder.Path);
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var session = await Eventually.BecomesAsync(() => backend.SessionAsync("s"), answer => answer.Body!["events"]!.AsArray().Count == 1);
        Assert.Equal("later", session.Body!["events"]![0]!["eventId"]!.ToString());
        await server.PrintsAsync("is completed: its rows and bytes are gone");
        if (!StoreUnderTest.IsPostgres) Assert.True(File.ReadAllBytes(SqliteEngine.PathIn(folder.Path)).AsSpan().IndexOf("unfinished"u8) < 0);
    }

    [Fact]
    public async Task Between_steps_nothing_of_the_erased_is_on_the_timeline_of_who_shares_their_browser()
    {
        var company = Messages.Company(stored.NextCompany());
        await stored.Store.AppendAsync([Messages.Identify(company, "shared", "first@shop.com", "i1", Messages.Ten)]);
        await stored.Store.AppendAsync([.. Enumerable.Range(1, 9).Select(number => Messages.Browser(company, "shared", $"of_first_{number}", Messages.Ten + number))]);
        await stored.Store.AppendAsync([Messages.Webhook(company, "first@shop.com", "bound", Messages.Ten + 10)]);
        await stored.Store.AppendAsync([Messages.Identify(company, "shared", "second@shop.com", "i2", Messages.Ten + 20), Messages.Browser(company, "shared", "of_second", Messages.Ten + 21)]);
        var (first, second) = (Identifier.Email(company, "first@shop.com").Id, Identifier.Email(company, "second@shop.com").Id);

        var steps = 0;
        for (var state = await stored.Store.EraseAsync(company, erasure => erasure.Begin(company, first, Operator, suppress: false, most: 2)); ; steps++)
        {
            using (var snapshot = stored.Store.Read())
            {
                var people = new PersonReader(snapshot.Database);
                Assert.Null(people.Find(company, first));

                // Their own event, and that they registered.
                Assert.Equal(2, new TotalsReader(snapshot.Database).Of(people.Find(company, second)!).Events);
            }

            if (state!.RowsGone) break;
            state = await stored.Store.EraseAsync(company, erasure => erasure.Continue(state, most: 2));
        }

        Assert.InRange(steps, 5, 8);
    }

    [Fact]
    public async Task Whoever_is_named_again_while_they_are_erased_is_shown_by_that_alone()
    {
        var company = Messages.Company(stored.NextCompany());
        await stored.Store.AppendAsync([.. Enumerable.Range(0, 9).Select(number => Messages.Webhook(company, "again@shop.com", $"before_{number}", Messages.Ten + number))]);
        var id = Identifier.Email(company, "again@shop.com").Id;
        var state = await stored.Store.EraseAsync(company, erasure => erasure.Begin(company, id, Operator, suppress: false, most: 2));
        await stored.Store.AppendAsync([Messages.Webhook(company, "again@shop.com", "after", Messages.Ten + 100)]);
        while (!state!.RowsGone) state = await stored.Store.EraseAsync(company, erasure => erasure.Continue(state, most: 2));

        using var snapshot = stored.Store.Read();
        var identifier = Assert.Single(new PersonReader(snapshot.Database).Find(company, id)!.Identifiers);
        Assert.Equal((IdentifierKind.Email, "again@shop.com", Messages.Ten + 100), (identifier.Identifier.Kind, identifier.Identifier.Value, identifier.FirstNamed));
    }

    [Fact]
    public async Task The_command_line_goes_on_with_what_was_left_unfinished()
    {
        await using var server = await ServerProcess.StartAsync();
        await server.StopAsync();
        using (var registry = StoreUnderTest.In(server.DataFolder).MakeRegistry(TimeProvider.System))
        using (var store = MessageStore.Open(StoreUnderTest.EngineOf(server.DataFolder), NullLogger.Instance))
        {
            var company = registry.Find(ServerProcess.CompanyId)!;
            await store.AppendAsync([Messages.Identify(company, "s", "unfinished@shop.com", "i"), .. Enumerable.Range(0, 20).Select(number => Messages.Browser(company, "s", $"unfinished_{number}"))]);
            Assert.False((await store.EraseAsync(company, erasure => erasure.Begin(company, Identifier.Email(company, "unfinished@shop.com").Id, Operator, suppress: false, most: 5)))!.RowsGone);
        }

        using var trackmate = new CommandLineRunner(server);
        Assert.Contains("1 erasure that was left unfinished: done now.", await trackmate.DoAsync("erase --email unfinished@shop.com --yes"));
        if (!StoreUnderTest.IsPostgres) Assert.True(File.ReadAllBytes(SqliteEngine.PathIn(server.DataFolder)).AsSpan().IndexOf("unfinished"u8) < 0);
        Assert.Contains("has no such person", await trackmate.FailAsync("erase --email unfinished@shop.com --yes", 1));
    }

    /// <summary>Of more than one step. Asked again there is nobody of that id, so whoever asked would not learn what became of it.</summary>
    [Fact]
    [EmbeddedOnly]
    public async Task An_erasure_that_has_begun_is_answered_as_one_though_the_store_goes_away_before_its_last_step()
    {
        await using var server = await ServerProcess.StartAsync();
        var shopper = new Shopper(server.Http, ServerProcess.CompanyId);
        const int Left = 100;
        for (var i = 0; i < (ErasureWriter.MostInStep + Left) / 300; i++)
            (await shopper.TrackManyAsync([.. Enumerable.Range(0, 300).Select(_ => new JsonObject { ["eventType"] = "page_view" })])).AssertOk();
        (await shopper.IdentifyAsync("large@shop.com")).AssertOk();
        using (var database = SqliteDatabase.Open(SqliteEngine.PathIn(server.DataFolder)))
            database.Execute($"CREATE TRIGGER stop BEFORE DELETE ON message WHEN (SELECT COUNT(*) FROM message) <= {Left} BEGIN SELECT RAISE(ABORT, 'on purpose'); END");
        var backend = new ShopBackend(server.Http, ServerProcess.ApiKey);
        var id = (await backend.ProfileOfAsync("large@shop.com"))!["id"]!.ToString();

        using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/profiles/" + id);
        request.Headers.Add(ApiKey.Header, ServerProcess.ApiKey);
        var answer = (await Answer.OfAsync(await server.Http.SendAsync(request, TestContext.Current.CancellationToken))).AssertOk();

        Assert.Equal("later", answer["files"]);
        Assert.Equal(ErasureWriter.MostInStep + Left, (int)answer.Body!["erased"]!["events"]!);
        Assert.Null(await backend.ProfileOfAsync("large@shop.com"));
        await server.PrintsAsync($"An erasure of {ServerProcess.CompanyId} has hidden somebody and not taken all of their rows out yet: ");

        await server.KillAsync();
        using var trackmate = new CommandLineRunner(server);
        Assert.Contains("on purpose", await trackmate.FailAsync("erase --email nobody@shop.com", 1));
        using (var database = SqliteDatabase.Open(SqliteEngine.PathIn(server.DataFolder))) database.Execute("DROP TRIGGER stop");
        Assert.Contains("1 erasure that was left unfinished: done now.", await trackmate.DoAsync("erase --email nobody@shop.com"));
    }

    [Fact]
    public async Task A_session_called_like_what_every_body_holds_takes_no_refused_message_of_others_with_it()
    {
        var company = Messages.Company(stored.NextCompany());
        await stored.Store.AppendAsync([Messages.Identify(company, "eventType", "stranger@shop.com", "i")]);
        var bodies = new[]
        {
            """{"sessionId":"other","eventType":"","eventData":{}}""", """{"eventType":"eventType","note":"stranger's"}""",
            """{"eventData":{},"sessionId" : "eventType"}""", """{"sessionId":"event\u0054ype"}""", """{"eventType":"","sessionId":"eventTy""",
        };
        await stored.Store.AppendAsync([], new(company, Origin.Browser, ReceivingCall.Events, Messages.Ten, [.. bodies.Select(body => new RejectedEvent(null, 422, "no", Encoding.UTF8.GetBytes(body), body.Length))]));

        var eraser = new Eraser(stored.Engine, stored.Store.EraseAsync);
        var state = (await eraser.EraseRowsAsync(company, Identifier.Email(company, "stranger@shop.com").Id, Operator, suppress: false))!;
        Assert.True(await eraser.CleanFilesAsync(state, CancellationToken.None));

        Assert.Equal(3, state.Erased.Rejected);
        using var snapshot = stored.Store.Read();
        using var left = snapshot.Database.Use("SELECT body FROM rejected WHERE company = ? ORDER BY id");
        left.With(company.Number);
        foreach (var body in bodies[..2]) Assert.True(left.Next() && Encoding.UTF8.GetString(left.Bytes(0)) == body);
        Assert.False(left.Next());
    }

    private Erased Preview(Company company, ProfileId id)
    {
        using var snapshot = stored.Store.Read();
        return new ErasureWriter(snapshot.Database).Preview(company, id)!;
    }

    private void AssertDerivedIsWhatARebuildGives(Company company, string erased)
    {
        using var beside = stored.OpenBeside();
        var tables = RandomHistoriesTests.DerivedTables.Concat(RandomHistoriesTests.PersonTables).Concat(RandomHistoriesTests.SessionTables).ToArray();
        var (kept, found) = (RandomHistoriesTests.DerivedRows(beside, company, tables), SearchTests.Rows(beside, company));
        beside.BeginWrite([]);
        Rebuilder.Everything(beside, company);
        Rebuilder.Persons(beside, company);
        Rebuilder.Search(beside, company);
        var (rebuilt, foundAnew) = (RandomHistoriesTests.DerivedRows(beside, company, tables), SearchTests.Rows(beside, company));
        beside.Execute("ROLLBACK");
        View.AssertEqual(rebuilt, kept, $"Without {erased} a rebuild gives something else:");
        View.AssertEqual(foundAnew, found, $"Without {erased} a rebuild of the search gives something else:");
    }

    /// <summary>Names and sessions that no message holds any more have no row.</summary>
    private void AssertNothingIsKept(Company company, List<Message> left)
    {
        using var snapshot = stored.Store.Read();
        List<string> Texts(string sql)
        {
            var texts = new List<string>();
            using var rows = snapshot.Database.Use(sql);
            rows.With(company.Number);
            while (rows.Next()) texts.Add(rows.Text(0));
            return texts;
        }

        List<string> Leaves()
        {
            var leaves = new List<string>();
            using var rows = snapshot.Database.Use("SELECT leaf FROM identifier WHERE company = ?");
            rows.With(company.Number);
            while (rows.Next()) leaves.Add(ProfileId.FromBytes(rows.Bytes(0)).ToString());
            return leaves;
        }

        Assert.Equal(left.Select(message => message.SessionId).OfType<string>().Distinct().Order(StringComparer.Ordinal), Texts("SELECT session_id FROM session WHERE company = ?").Order(StringComparer.Ordinal));
        Assert.Equal(left.SelectMany(message => message.Named).Select(identifier => identifier.Id.ToString()).Distinct().Order(StringComparer.Ordinal), Leaves().Order(StringComparer.Ordinal));
        var numbers = Texts("SELECT CAST(id AS text) FROM identifier WHERE company = ?");
        foreach (var of in new[]
        {
            "SELECT CAST(identifier AS text) FROM trait WHERE company = ?", "SELECT CAST(identifier AS text) FROM trait_said WHERE company = ?", "SELECT CAST(identifier AS text) FROM first_claim WHERE company = ?",
            "SELECT CAST(identifier AS text) FROM first_claim_day WHERE company = ?", "SELECT CAST(identifier AS text) FROM alarm WHERE company = ?", "SELECT CAST(identifier AS text) FROM span WHERE company = ?",
            "SELECT CAST(identifier AS text) FROM opening WHERE company = ?", "SELECT CAST(identifier AS text) FROM whole_span WHERE company = ?",
            "SELECT CAST(low AS text) FROM pair WHERE company = ?", "SELECT CAST(high AS text) FROM pair WHERE company = ?", "SELECT CAST(identifier AS text) FROM act WHERE company = ? AND identifier IS NOT NULL",
            "SELECT CAST(other AS text) FROM act WHERE company = ? AND other IS NOT NULL", "SELECT CAST(identifier AS text) FROM server_run WHERE company = ? AND identifier > 0",
        })
        {
            Assert.Empty(Texts(of).Except(numbers));
        }
    }

    private static IEnumerable<ProfileId> LeavesOf(OperatorAct act) => act switch
    {
        OperatorAct.RevokeClaim revoke => [revoke.Leaf],
        OperatorAct.RevokePair revoke => [revoke.One, revoke.Other],
        OperatorAct.Merge merge => [merge.One, merge.Other],
        OperatorAct.Isolate isolate => [isolate.Leaf],
        OperatorAct.Freeze freeze => [freeze.Leaf],
        _ => [],
    };

    /// <summary>An identify as a browser sends it: what is derived anew is read from what was said.</summary>
    internal static Message WithSaid(Message message) => message is not Identify identify ? message : identify with
    {
        Said = Encoding.UTF8.GetBytes("{\"traits\":{" + string.Join(',', identify.Traits.Select(trait => JsonSerializer.Serialize(trait.Name) + ":" + trait.Json)) + "}}"),
    };
}
