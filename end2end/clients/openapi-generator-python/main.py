import datetime
import os

import latchkey_api as latchkey


def client(variable):
    configuration = latchkey.Configuration(host=os.environ["LATCHKEY_URL"], api_key={"x_api_key": os.environ[variable]})
    return latchkey.ApiClient(configuration)


with client("LATCHKEY_KEY") as api:
    properties = latchkey.PropertiesApi(api)
    property_id = properties.list_properties(limit=50).data[0].id
    service_id = latchkey.OffersApi(api).list_services(property_id).data[0].id

    arrival = datetime.date.today() + datetime.timedelta(days=302)
    reservations = latchkey.ReservationsApi(api)
    made = reservations.create_reservation(
        latchkey.ReservationInput(
            property_id=property_id,
            service_id=service_id,
            guest=latchkey.GuestInput(name="Ada Lovelace"),
            arrival=arrival,
            departure=arrival + datetime.timedelta(days=1),
        )
    )
    found = reservations.get_reservation(made.id)
    assert (found.guest.name, found.arrival) == ("Ada Lovelace", arrival), found

    try:
        properties.get_property("prp_unknown")
        raise AssertionError("an unknown property was found")
    except latchkey.exceptions.NotFoundException as refused:
        assert refused.data.code == "not_found", refused

with client("LATCHKEY_VERIFIER_KEY") as api:
    question = latchkey.VerifyRequest(key=os.environ["LATCHKEY_KEY"])
    assert latchkey.KeyVerificationApi(api).verify_key(question).data.valid
